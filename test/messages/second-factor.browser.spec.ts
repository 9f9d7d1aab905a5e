import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { findChromium } from '../support/chromium.js';
import { newMessage } from '../support/messages.js';
import { codeOf, newPersonWithTotp, wrongCodeOf } from '../support/second-factors.js';
import { useGatehouse } from '../support/use-gatehouse.js';
import { visit } from '../support/visit.js';

const executablePath = findChromium();
if (!executablePath) console.log('second factor on pages: skipped, because there is no Chromium (see CHROMIUM_PATH)');

const gatehouse = useGatehouse();

describe.runIf(executablePath)('in Chromium', () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: executablePath ?? '', args: ['--no-sandbox'] });
  });
  afterAll(() => browser.close());

  test('a message for somebody with a second factor opens after its code', async () => {
    const owner = await newPersonWithTotp(gatehouse);
    const { token } = await newMessage(gatehouse, { token: owner.token, body: 'yours', recipientId: owner.id });
    await visit(browser, gatehouse.url, async (page) => {
      await page.goto(`${gatehouse.url}/m#${token}`);
      await page.getByText('meant for you personally').click();
      await page.getByLabel('User name').fill(owner.userName);
      await page.getByLabel('Password').fill(owner.password);
      await page.keyboard.press('Enter');
      const code = page.getByLabel('Code of your second factor');
      await code.fill(wrongCodeOf(owner.secret));
      await page.keyboard.press('Enter');
      await expect.poll(() => page.locator('#sign-in-error').textContent()).toMatch(/no code/);
      await code.fill(codeOf(owner.secret));
      await page.keyboard.press('Enter');
      await page.getByRole('button', { name: 'Show the message' }).click();
      await expect.poll(() => page.locator('pre').textContent()).toBe('yours');
    });
  });
});
