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

describe.runIf(executablePath).each(['light', 'dark'] as const)('in %s', (colorScheme) => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: executablePath ?? '', args: ['--no-sandbox'] });
  });
  afterAll(() => browser.close());

  test.each(Object.entries(states))('axe finds nothing serious on %s, at 320 and 1280 pixels', async (name, open) => {
    for (const width of [320, 1280]) {
      await visit(
        browser,
        gatehouse.url,
        async (page) => {
          await open(page);
          await expectNoSidewaysScroll(page);
          await picture(page, `${name}-${width}-${colorScheme}`);
          // CSP is bypassed for the tool alone, which makes styles of its own
          await page.evaluate(axe.source);
          const { violations } = await page.evaluate<axe.AxeResults>('axe.run()');
          const found = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
          expect(found.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([]);
        },
        { viewport: { width, height: 720 }, colorScheme, bypassCSP: true },
      );
    }
  });
});
