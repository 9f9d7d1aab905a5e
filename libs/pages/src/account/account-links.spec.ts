import { readFileSync } from 'node:fs';

import { expect, test } from 'vitest';

import { tokenAtStart } from './account-links.js';

test("the pages' script finds the token behind the # by the pattern of the server", () => {
  const script = readFileSync(new URL('../../pages/account.js', import.meta.url), 'utf8');
  expect(script).toContain(`const tokenPattern = ${tokenAtStart};`);
});
