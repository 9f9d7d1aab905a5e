import { expect, test } from 'vitest';

import { addressPrefix } from './address-prefix.js';

test.each([
  ['2001:db8:1:2::1', '2001:db8:1:2:ffff::', 64, true],
  ['2001:db8:1:2::1', '2001:0DB8:0001:0002:0:0:0:9', 64, true],
  ['2001:db8:1:2::1', '2001:db8:1:3::1', 64, false],
  ['2001:db8:1:2::1', '2001:db8:1:ff::1', 56, true],
  ['2001:db8:1:2::1', '2001:db8:1:102::1', 56, false],
  ['::1', '::2', 64, true],
  ['fe80::1%eth0', 'fe80::2', 64, true],
  ['::ffff:192.0.2.1', '192.0.2.1', 64, true],
  ['192.0.2.1', '192.0.2.2', 64, false],
])('%s and %s are the same in their first %i bits: %s', (one, other, bits, isSame) => {
  expect(addressPrefix(one, bits) === addressPrefix(other, bits)).toBe(isSame);
});
