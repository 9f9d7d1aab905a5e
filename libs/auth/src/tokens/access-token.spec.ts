import { expect, test } from 'vitest';

import { ConfigError, loadConfig } from '#libs/platform/config';

import { userClaimsSchema } from './access-token.js';

test.each(Object.keys(userClaimsSchema.shape))('no declaration can take the place of our claim %s', (name) => {
  expect(() => loadConfig({ TOKEN_CLAIMS: JSON.stringify({ [name]: 'profile.a' }) })).toThrow(ConfigError);
});
