import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { findChromium } from '../support/chromium.js';
import { newMessage, type Sent } from '../support/messages.js';
import { newPerson, type Person } from '../support/people.js';
import { type Gatehouse, startGatehouse } from '../support/start-gatehouse.js';

const executablePath = findChromium();
if (!executablePath) console.log('pages of messages: skipped, because there is no Chromium here (see CHROMIUM_PATH)');
/** Where pictures go, if anybody wants to see them. */
const pictures = process.env['SCREENSHOT_DIR'];

const hostile = [
  '<script>document.title = "ran"; fetch("https://elsewhere.example/?script")</script>',
  '<img src="https://elsewhere.example/pixel" onerror="document.title = \'ran\'">',
  "<a href=\"javascript:document.title='ran'\">javascript:document.title='ran'</a>",
  '\u202egnp.exe\u202c and \u2067isolated\u2069 and עברית',
  '</pre><style>body { background: url(https://elsewhere.example/style) }</style> &amp; &lt;b&gt;',
].join('\n');

const picture = async (page: Page, name: string): Promise<void> => {
  if (!pictures) return;
  mkdirSync(pictures, { recursive: true });
  await page.screenshot({ path: join(pictures, `${name}.png`), fullPage: true });
};
const showButton = (page: Page) => page.getByRole('button', { name: 'Show the message' });

describe.runIf(executablePath)('in Chromium', () => {
  let gatehouse: Gatehouse;
  let browser: Browser;
  let person: Person;

  beforeAll(async () => {
    gatehouse = await startGatehouse();
    person = await newPerson(gatehouse);
    browser = await chromium.launch({ executablePath: executablePath ?? '', args: ['--no-sandbox'] });
  });
  afterAll(async () => {
    await browser.close();
    await gatehouse.stop();
  });

  type Visit = { page: Page; elsewhere: string[]; problems: string[] };

  /** A page with all that it asked of others and all that went wrong in it. */
  async function visit<T>(work: (visit: Visit) => Promise<T>, options: BrowserContextOptions = {}): Promise<T> {
    const context = await browser.newContext({ viewport: { width: 900, height: 760 }, ...options });
    const page = await context.newPage();
    const [elsewhere, problems]: [string[], string[]] = [[], []];
    page.on('request', (request) => {
      if (!request.url().startsWith(gatehouse.url) && request.url() !== 'data:,') elsewhere.push(request.url());
    });
    page.on('pageerror', (error) => problems.push(String(error)));
    page.on('dialog', (dialog) => {
      problems.push(`a dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on('console', (message) => {
      // an answer of 404 is logged by the browser itself
      if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
        problems.push(message.text());
    });
    try {
      return await work({ page, elsewhere, problems });
    } finally {
      await context.close();
    }
  }

  const linkOf = ({ token }: Sent): string => `${gatehouse.url}/m#${token}`;
  test('a hostile message is shown as its own text: nothing runs and nothing is asked of others', async () => {
    const message = await newMessage(gatehouse, { token: person.token, body: hostile, maxReads: 1 });
    await visit(async ({ page, elsewhere, problems }) => {
      await page.goto(linkOf(message));
      await showButton(page).click();
      const text = page.getByRole('region', { name: 'The message' }).locator('pre');
      await expect.poll(() => text.isVisible()).toBe(true);
      expect(await text.evaluate((element) => element.textContent)).toBe(hostile);
      expect(await text.evaluate((element) => element.children.length)).toBe(0);
      expect(await page.getByText('invisible characters').isVisible()).toBe(true);
      await picture(page, 'hostile');
      await page.waitForLoadState('networkidle');
      expect(await page.title()).toBe('A private message');
      expect([elsewhere, problems]).toEqual([[], []]);
    });
  });

  test('opening the page uses nothing up; the button does, and then it is gone', async () => {
    const message = await newMessage(gatehouse, { token: person.token, body: 'once\n  only', maxReads: 1 });
    await visit(async ({ page, problems }) => {
      for (let time = 0; time < 3; time++) {
        await page.goto(linkOf(message));
        await page.reload();
        await expect.poll(() => showButton(page).isVisible()).toBe(true);
      }
      await picture(page, 'closed');
      await showButton(page).click();
      await expect.poll(() => page.locator('pre').textContent()).toBe('once\n  only');
      await picture(page, 'opened');
      await page.reload();
      await expect.poll(() => page.getByRole('heading', { level: 1 }).textContent()).toMatch(/no message for you/);
      await picture(page, 'missing');
      expect(problems).toEqual([]);
    });
  });

  test('the keyboard alone opens and copies a message', async () => {
    const message = await newMessage(gatehouse, { token: person.token, body: 'by keyboard\tand\u00a0tab' });
    await visit(
      async ({ page }) => {
        await page.goto(linkOf(message));
        await expect.poll(() => showButton(page).isVisible()).toBe(true);
        await page.keyboard.press('Tab');
        await page.keyboard.press('Enter');
        const copy = page.getByRole('button', { name: 'Copy' });
        await expect.poll(() => copy.isVisible()).toBe(true);
        // a reader hears what is new first
        expect(await page.evaluate('document.activeElement.id')).toBe('title');
        for (let time = 0; time < 2; time++) await page.keyboard.press('Tab');
        await page.keyboard.press('Enter');
        await expect.poll(() => page.locator('#copied').textContent()).toBe('Copied.');
        expect(await page.evaluate('navigator.clipboard.readText()')).toBe('by keyboard\tand\u00a0tab');
      },
      { permissions: ['clipboard-read', 'clipboard-write'] },
    );
  });

  test('a message for one user opens after that user has signed in, and nothing of it is kept', async () => {
    const message = await newMessage(gatehouse, { token: person.token, body: 'yours', recipientId: person.id });
    await visit(async ({ page, elsewhere, problems }) => {
      await page.goto(linkOf(message));
      await page.getByText('meant for you personally').click();
      await page.getByLabel('User name').fill(person.userName);
      await page.getByLabel('Password').fill('wrong');
      await page.keyboard.press('Enter');
      await expect.poll(() => page.locator('#sign-in-error').textContent()).toMatch(/wrong/);
      await picture(page, 'sign-in');
      await page.getByLabel('Password').fill(person.password);
      await page.keyboard.press('Enter');
      await showButton(page).click();
      await expect.poll(() => page.locator('pre').textContent()).toBe('yours');
      expect(await page.evaluate('[localStorage.length, sessionStorage.length, document.cookie]')).toEqual([0, 0, '']);
      expect([elsewhere, problems]).toEqual([[], []]);
    });
  });

  test('a link that was cut says so, and the whole one in its place opens', async () => {
    const message = await newMessage(gatehouse, { token: person.token });
    await visit(async ({ page }) => {
      await page.goto(linkOf(message).slice(0, -3));
      await expect.poll(() => page.getByRole('heading', { level: 1 }).textContent()).toBe('This link is not complete');
      await page.goto(linkOf(message));
      await expect.poll(() => showButton(page).isVisible()).toBe(true);
    });
  });

  test.each(['.', ')', '%3E', '%29.', '&utm_source=x', '?fbclid=abc', '%E0%A4%A'])(
    'what stands behind the token in a link is not part of it: %s',
    async (behind) => {
      const message = await newMessage(gatehouse, { token: person.token });
      await visit(async ({ page }) => {
        await page.goto(`${linkOf(message)}${behind}`);
        await expect.poll(() => showButton(page).isVisible()).toBe(true);
      });
    },
  );

  test('a link with an encoded # opens too', async () => {
    const message = await newMessage(gatehouse, { token: person.token });
    await visit(async ({ page }) => {
      await page.goto(linkOf(message).replace('#', '%23'));
      await expect.poll(() => showButton(page).isVisible()).toBe(true);
      expect(page.url()).toBe(linkOf(message));
    });
  });

  test('who signs in writes a message, and its link opens it', async () => {
    const url = await visit(async ({ page, elsewhere, problems }) => {
      await page.goto(`${gatehouse.url}/m/new`);
      await picture(page, 'write-sign-in');
      await page.getByLabel('User name').fill(person.userName);
      await page.getByLabel('Password').fill(person.password);
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.getByLabel('Message').fill('the code is 4711\n\n  – Ada');
      await page.getByLabel('Can be read').selectOption('3 times');
      await picture(page, 'write');
      await page.getByRole('button', { name: 'Make the link' }).click();
      const link = page.getByLabel('The link');
      await expect.poll(() => link.inputValue()).toMatch(/\/m#[\w-]{43}$/);
      await picture(page, 'written');
      const value = await link.inputValue();
      await page.getByRole('button', { name: 'Write another' }).click();
      expect([await page.getByLabel('Message').inputValue(), await link.inputValue()]).toEqual(['', '']);
      expect([elsewhere, problems]).toEqual([[], []]);
      return value;
    });
    const token = url.split('#')[1];
    const { body } = await gatehouse.api.post(`/v1/messages/${token}/reveal`);
    expect(body).toMatchObject({ body: 'the code is 4711\n\n  – Ada', readsLeft: 2 });
  });

  test.each([
    ['dark', { colorScheme: 'dark' as const }],
    ['phone', { viewport: { width: 320, height: 640 }, isMobile: true, hasTouch: true }],
    ['forced colours', { forcedColors: 'active' as const }],
  ])('it can be read: %s', async (name, options) => {
    const message = await newMessage(gatehouse, {
      token: person.token,
      body: `${'word '.repeat(60)}\n${'w'.repeat(400)}`,
    });
    await visit(async ({ page }) => {
      for (const at of [linkOf(message), `${gatehouse.url}/m/new`]) {
        await page.goto(at);
        if (at.includes('#')) {
          await showButton(page).click();
          await expect.poll(() => page.locator('pre').isVisible()).toBe(true);
        }
        await picture(page, `${name}-${at.includes('#') ? 'read' : 'write'}`);
        // nothing is wider than the screen
        const [inner, scroll] = (await page.evaluate('[innerWidth, document.documentElement.scrollWidth]')) as number[];
        expect(scroll).toBeLessThanOrEqual(inner ?? 0);
        // WCAG 2.2 asks 4.5 of text and 24 pixels of what is touched
        expect(await page.evaluate(faintTexts)).toEqual([]);
        for (const button of await page.locator('button:visible').all()) {
          expect((await button.boundingBox())?.height).toBeGreaterThanOrEqual(44);
        }
      }
    }, options);
  });
});

/**
 * Visible texts whose contrast with the ground behind them is below 4.5 (WCAG
 * 2.2, 1.4.3); runs in the page.
 */
const faintTexts = `(() => {
  const rgb = (text) => (text.match(/[\\d.]+/g) ?? []).map(Number);
  const luminance = (color) => rgb(color).slice(0, 3)
    .map((value) => value / 255)
    .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4))
    .reduce((sum, value, at) => sum + value * [0.2126, 0.7152, 0.0722][at], 0);
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = getComputedStyle(at).backgroundColor;
      if (rgb(color)[3] !== 0) return color;
    }
    return 'rgb(255, 255, 255)';
  };
  return [...document.querySelectorAll('h1, h2, p, dt, dd, pre, label, button, summary, input, textarea, select, footer')]
    .filter((element) => element.checkVisibility() && element.textContent.trim() !== '')
    .flatMap((element) => {
      const [one, other] = [luminance(getComputedStyle(element).color), luminance(ground(element))];
      const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
      return ratio < 4.5 ? [element.tagName + ' ' + element.id + ' ' + ratio.toFixed(2)] : [];
    });
})()`;
