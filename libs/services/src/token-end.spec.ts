import { expect, test } from 'vitest';

import { endOfTokens, type TokenGround } from './token-end.js';

const ground = (changed: Partial<TokenGround> = {}): TokenGround => ({
  status: 'active',
  scopes: ['users:read', 'users:write'],
  grants: [{ audience: 'https://orders.example.org', permissions: ['read', 'write'] }],
  ...changed,
});
const grant = (audience: string, ...permissions: string[]) => ({ audience, permissions });
const orders = 'https://orders.example.org';

test.each<[string, Partial<TokenGround>, string | undefined]>([
  ['nothing', {}, undefined],
  ['the order of scopes', { scopes: ['users:write', 'users:read'] }, undefined],
  ['a scope given', { scopes: ['users:read', 'users:write', 'messages:read'] }, undefined],
  ['a scope taken', { scopes: ['users:read'] }, 'service-changed'],
  ['a scope for another', { scopes: ['users:read', 'messages:read'] }, 'service-changed'],
  ['a permission given', { grants: [grant(orders, 'read', 'write', 'burn')] }, undefined],
  ['a grant given', { grants: [...ground().grants, grant('https://billing.example.org', 'pay')] }, undefined],
  ['the spelling of an audience', { grants: [grant('HTTPS://orders.example.org:443/', 'write', 'read')] }, undefined],
  ['a permission taken', { grants: [grant(orders, 'read')] }, 'service-changed'],
  ['a grant taken', { grants: [] }, 'service-changed'],
  ['the audience of a grant', { grants: [grant('https://other.example.org', 'read', 'write')] }, 'service-changed'],
  ['deactivation', { status: 'deactivated' }, 'service-deactivated'],
  ['deactivation, with more scopes', { status: 'deactivated', scopes: [] }, 'service-deactivated'],
])('of %s', (_, changed, cause) => {
  expect(endOfTokens(ground(), ground(changed))).toBe(cause);
});

test('of activation', () => {
  expect(endOfTokens(ground({ status: 'deactivated' }), ground())).toBeUndefined();
});

test('a scope is no permission of the same name', () => {
  const before = ground({ grants: [grant(orders, 'users:read')] });
  expect(endOfTokens(before, ground({ grants: [] }))).toBe('service-changed');
});
