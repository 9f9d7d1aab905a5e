import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { expect } from 'vitest';

/** Where pictures go, if anybody wants to see them. */
const pictures = process.env['SCREENSHOT_DIR'];

/**
 * Works on a new page, on which nothing may go wrong: no error, no line of the console but an
 * answer that is no success, nothing against its policy, no request to another host.
 */
export async function visit<T>(
  browser: Browser,
  origin: string,
  work: (page: Page) => Promise<T>,
  options: BrowserContextOptions = {},
): Promise<T> {
  const context = await browser.newContext({ viewport: { width: 320, height: 640 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  const problems: string[] = [];
  page.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(`${origin}/`) && url !== 'data:,') problems.push(`a request to ${url}`);
  });
  page.on('pageerror', (error) => problems.push(String(error)));
  page.on('console', (message) => {
    const isProblem = message.type() === 'error' || message.type() === 'warning';
    // the browser itself says when an answer is 400
    if (isProblem && !message.text().startsWith('Failed to load resource')) problems.push(message.text());
  });
  try {
    const result = await work(page);
    expect(problems).toEqual([]);
    return result;
  } finally {
    await context.close();
  }
}

export async function picture(page: Page, name: string): Promise<void> {
  if (!pictures) return;
  mkdirSync(pictures, { recursive: true });
  await page.screenshot({ path: join(pictures, `${name}.png`), fullPage: true });
}

/** Goes on by the Tab key alone until what is meant has the focus. */
export async function tabTo(page: Page, selector: string): Promise<void> {
  for (let presses = 0; presses < 25; presses++) {
    await page.keyboard.press('Tab');
    if (await page.evaluate(`document.activeElement?.matches('${selector}') === true`)) return;
  }
  throw new Error(`the keyboard does not reach ${selector}`);
}

/** Nothing is wider than the screen. */
export async function expectNoSidewaysScroll(page: Page): Promise<void> {
  const widths = '[innerWidth, document.documentElement.scrollWidth]';
  const [inner, scroll] = await page.evaluate<number[]>(widths);
  expect(scroll).toBeLessThanOrEqual(inner ?? 0);
}

/** Waits until this is what the page is about. */
export async function shows(page: Page, text: string | RegExp): Promise<void> {
  await expect.poll(() => page.locator('h1:visible').textContent(), { timeout: 20_000 }).toMatch(text);
}
