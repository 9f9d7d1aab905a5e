import { mkdirSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

import { chromium } from 'playwright-core';

/**
 * Pictures of all mails, from their golden files: `node scripts/mail-screenshots.ts [folder]`. In
 * docs/mail each in light; in another folder also in dark and on a narrow screen, to look at.
 */
const golden = resolve('test/mail/golden');
const folder = process.argv[2] ?? 'docs/mail';
const looks = [
  { name: '', colorScheme: 'light', width: 640 },
  { name: '.dark', colorScheme: 'dark', width: 640 },
  { name: '.narrow', colorScheme: 'light', width: 320 },
] as const;

mkdirSync(folder, { recursive: true });
const flags = ['--no-sandbox', '--disable-gpu', '--disable-background-networking'];
const browser = await chromium.launch({
  executablePath: process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium',
  args: flags,
});
for (const { name, colorScheme, width } of process.argv[2] === undefined ? looks.slice(0, 1) : looks) {
  const page = await browser.newPage({ colorScheme, viewport: { width, height: 200 } });
  for (const file of readdirSync(golden).filter((entry) => entry.endsWith('.html'))) {
    await page.goto(pathToFileURL(join(golden, file)).href);
    const overflow = await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
    if (overflow !== 0) throw new Error(`${file} is wider than ${width} pixels`);
    await page.screenshot({ path: join(folder, file.replace('.html', `${name}.png`)), fullPage: true });
  }
  await page.close();
}
await browser.close();
