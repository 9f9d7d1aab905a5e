import { existsSync, globSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const { CHROMIUM_PATH, PATH = '' } = process.env;

/**
 * Where a Chromium is: at `CHROMIUM_PATH`, on the path, or where macOS,
 * Windows and Playwright put one.
 */
export function findChromium(): string | undefined {
  if (CHROMIUM_PATH) return CHROMIUM_PATH;
  const candidates = [
    ...PATH.split(delimiter).flatMap((folder) => names.map((name) => join(folder, name))),
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    '/Applications/Chromium.app/Contents/MacOS/Chromium',
    String.raw`C:\Program Files\Google\Chrome\Application\chrome.exe`,
    ...globSync(join(homedir(), '.cache/ms-playwright/chromium-*/chrome-linux*/chrome')),
  ];
  return candidates.find((path) => existsSync(path));
}
