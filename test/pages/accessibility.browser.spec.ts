import axe from 'axe-core';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { findChromium } from '../support/chromium.js';
import { useMailbox } from '../support/reset-mailbox.js';
import { useGatehouse } from '../support/use-gatehouse.js';
import { expectNoSidewaysScroll, picture, shows, visit } from '../support/visit.js';

const executablePath = findChromium();
if (!executablePath) console.log('pages by axe: skipped, because there is no Chromium here (see CHROMIUM_PATH)');

const gatehouse = useGatehouse({ environment: useMailbox().environment });
const password = 'eight tall chimneys';
const atPage = (page: string, token?: string): string =>
  `${gatehouse.url}/account/${page}${token === undefined ? '' : `#${token}`}`;

const states: Readonly<Record<string, (page: Page) => Promise<unknown>>> = {
  verify: (page) => page.goto(atPage('verify')),
  'verify-link': (page) => page.goto(atPage('verify', 'a'.repeat(40))),
  'verify-cut': (page) => page.goto(atPage('verify', 'a')),
  reset: (page) => page.goto(atPage('reset')),
  'reset-open': async (page) => {
    await page.goto(atPage('reset'));
    await page.locator('summary').click();
  },
  'reset-sent': async (page) => {
    await page.goto(atPage('reset'));
    await page.locator('#ask-email').fill('nobody@example.org');
    await page.keyboard.press('Enter');
    await shows(page, 'Look into your mail');
  },
  'reset-link': (page) => page.goto(atPage('reset', 'a'.repeat(40))),
  'reset-failed': async (page) => {
    await page.goto(atPage('reset', 'a'.repeat(40)));
    await page.locator('#link-password').fill(password);
    await page.keyboard.press('Enter');
    await expect.poll(() => page.locator('#ask .error').isVisible()).toBe(true);
  },
  invitation: (page) => page.goto(atPage('invitation')),
  'invitation-link': (page) => page.goto(atPage('invitation', 'a'.repeat(40))),
  'invitation-failed': async (page) => {
    await page.goto(atPage('invitation', 'a'.repeat(40)));
    await page.locator('#form-userName').fill('ada');
    await page.locator('#form-password').fill(password);
    await page.keyboard.press('Enter');
    await expect.poll(() => page.locator('#form-token-error').isVisible()).toBe(true);
  },
  'message-new': (page) => page.goto(`${gatehouse.url}/m/new`),
  'message-missing': async (page) => {
    await page.goto(`${gatehouse.url}/m#${'a'.repeat(43)}`);
    await shows(page, 'There is no message for you here');
    await page.locator('summary').click();
  },
};

/** Each state is opened once, and looked at wide and light, then narrow and dark. */
const looks = [
  { width: 1280, colorScheme: 'light' },
  { width: 320, colorScheme: 'dark' },
] as const;

describe.runIf(executablePath)('in light and dark, at 1280 and 320 pixels', () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: executablePath ?? '', args: ['--no-sandbox'] });
  });
  afterAll(() => browser.close());

  test.each(Object.entries(states))('axe finds nothing serious on %s', async (name, open) => {
    // CSP is bypassed for the tool alone, which makes styles of its own
    const options = { viewport: { width: looks[0].width, height: 720 }, bypassCSP: true };
    const look = async (page: Page): Promise<void> => {
      await open(page);
      await page.evaluate(axe.source);
      for (const { width, colorScheme } of looks) {
        await page.setViewportSize({ width, height: 720 });
        await page.emulateMedia({ colorScheme });
        await expectNoSidewaysScroll(page);
        await picture(page, `${name}-${width}-${colorScheme}`);
        const { violations } = await page.evaluate<axe.AxeResults>('axe.run()');
        const found = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
        expect(found.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([]);
      }
    };
    await visit(browser, gatehouse.url, look, options);
  });
});
