import { expect, test } from 'vitest';

import { describeDevice } from './describe-device.js';

const linux = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';
const webKit = 'AppleWebKit/537.36 (KHTML, like Gecko)';

test.each([
  ['Firefox on Linux', linux],
  ['Edge on Windows', `Mozilla/5.0 (Windows NT 10.0) ${webKit} Chrome/140.0 Safari/537.36 Edg/140.0`],
  ['Chrome on Android', `Mozilla/5.0 (Linux; Android 10; K) ${webKit} Chrome/140.0 Mobile Safari/537.36`],
  ['Safari on iPhone', `Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) ${webKit} Version/18.0 Safari/604.1`],
  ['curl/8.5.0', 'curl/8.5.0'],
  ['Mozilla/5.0', 'Mozilla/5.0 (compatible; bot)'],
  ['a'.repeat(60), 'a'.repeat(250)],
  ['evil', 'evil\r\nBcc: x@example.org'],
  ['?', ''],
  ['?', null],
])('%s', (device, userAgent) => {
  expect(describeDevice(userAgent)).toBe(device);
});
