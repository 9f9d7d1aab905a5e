import { expect, test } from 'vitest';

import { ConfigError, loadConfig } from '#libs/platform/config';

import { ownClaimNames } from './access-token.js';

test.each([...ownClaimNames])('no declaration can take the place of our claim %s', (name) => {
  expect(() => loadConfig({ TOKEN_CLAIMS: JSON.stringify({ [name]: 'profile.a' }) })).toThrow(ConfigError);
});
