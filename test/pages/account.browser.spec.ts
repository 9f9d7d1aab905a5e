import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { newInvitation, newMailed } from '../support/account-pages.js';
import { findChromium } from '../support/chromium.js';
import { codeOf, execute, newHolder, useMailbox } from '../support/reset-mailbox.js';
import { signIn, uniqueName } from '../support/people.js';
import { useGatehouse } from '../support/use-gatehouse.js';
import { expectNoSidewaysScroll, shows, tabTo, visit } from '../support/visit.js';

const executablePath = findChromium();
if (!executablePath) console.log('account pages: skipped, because there is no Chromium here (see CHROMIUM_PATH)');

const mailbox = useMailbox();
const gatehouse = useGatehouse({ environment: mailbox.environment });
const password = 'eight tall chimneys';
const pages = ['verify', 'reset', 'invitation'] as const;
type AccountPage = (typeof pages)[number];

const atPage = (page: AccountPage, token?: string): string =>
  `${gatehouse.url}/account/${page}${token === undefined ? '' : `#${token}`}`;
const newToken = async (page: AccountPage): Promise<string> =>
  page === 'invitation' ? newInvitation(gatehouse) : (await newMailed(gatehouse, mailbox, page)).token;
const consumed = async (): Promise<unknown[]> => [
  ...(await execute(gatehouse, 'select id from one_time_tokens where ended_at is not null')),
  ...(await execute(gatehouse, 'select count(*)::int as open from invitations')),
];
const title = (page: Page): Promise<string | null> => page.locator('h1:visible').textContent();
const focused = (page: Page): Promise<string | undefined> => page.evaluate('document.activeElement?.id');

describe.runIf(executablePath)('in Chromium', () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: executablePath ?? '', args: ['--no-sandbox'] });
  });
  afterAll(() => browser.close());

  const at = <T>(work: (page: Page) => Promise<T>, options?: BrowserContextOptions): Promise<T> =>
    visit(browser, gatehouse.url, work, options);

  test.each(pages)('opening /account/%s uses nothing up, and the token leaves the address bar', async (name) => {
    const token = await newToken(name);
    const before = await consumed();
    await at(async (page) => {
      await page.goto(atPage(name, token));
      await page.waitForLoadState('networkidle');
      expect(page.url()).toBe(atPage(name));
      expect(await page.locator('[name=token]').first().inputValue()).toBe(token);
      expect(await page.locator('[name=token]:visible').count()).toBe(0);
      await page.reload();
      await page.waitForLoadState('networkidle');
      expect(await page.locator('[name=token]').first().inputValue()).toBe(token);
      expect(await page.evaluate('[localStorage.length, sessionStorage.length, document.cookie]')).toEqual([0, 0, '']);
    });
    expect(await consumed()).toEqual(before);
  });

  test.each(pages)('a link to /account/%s that was changed on its way opens with its token', async (name) => {
    const token = await newToken(name);
    for (const changed of [`%23${token}.`, `/${token}`, `?utm_source=x#${token}`, `#${token})`, `#%3C${token}%3E`]) {
      await at(async (page) => {
        await page.goto(atPage(name) + changed);
        await expect.poll(() => page.locator('[name=token]').first().inputValue()).toBe(token);
        expect(page.url()).toBe(atPage(name));
      });
    }
    await at(async (page) => {
      await page.goto(atPage(name, token.slice(2)));
      await expect.poll(() => page.locator('#cut').isVisible()).toBe(true);
      await page.goto(atPage(name, token));
      await expect.poll(() => page.locator('[name=token]').first().inputValue()).toBe(token);
      expect(await page.locator('#cut').isVisible()).toBe(false);
    });
  });

  describe('by the keyboard alone, at 320 pixels', () => {
    test('an address is confirmed by the link', async () => {
      const { person, token } = await newMailed(gatehouse, mailbox, 'verify');
      await at(async (page) => {
        await page.goto(atPage('verify', token));
        await expectNoSidewaysScroll(page);
        await tabTo(page, '#link button');
        await page.keyboard.press('Enter');
        await shows(page, 'Your address is confirmed');
        expect(await focused(page)).toBe('done-title');
        await expectNoSidewaysScroll(page);
      });
      const { body } = await gatehouse.api.get('/v1/users/me', { token: person.token });
      expect(body.emailVerified).toBe(true);
    });

    test('an address is confirmed by the code, after a new mail', async () => {
      const { email } = await newHolder(gatehouse, { isVerified: false });
      await at(async (page) => {
        await page.goto(atPage('verify'));
        await tabTo(page, '#mail-email');
        await page.keyboard.type(email);
        await page.keyboard.press('Enter');
        await expect.poll(() => page.locator('p[role=status]').textContent()).toMatch(/a mail is on its way/);
        const [mail] = await mailbox.wait(email);
        expect(await page.locator('#code-email').inputValue()).toBe(email);
        await tabTo(page, '#code-code');
        await page.keyboard.type('0000');
        await page.keyboard.press('Enter');
        await expect.poll(() => page.locator('#code-code-error').textContent()).toMatch(/8 digits/);
        expect(await focused(page)).toBe('code-code');
        await page.keyboard.press('ControlOrMeta+a');
        await page.keyboard.type(mail ? codeOf(mail) : '');
        await page.keyboard.press('Enter');
        await shows(page, 'Your address is confirmed');
      });
    });

    test('a password is set by the link, when the refused one is mended', async () => {
      const { person, token } = await newMailed(gatehouse, mailbox, 'reset');
      await at(async (page) => {
        await page.goto(atPage('reset', token));
        await tabTo(page, '#link-password');
        await page.keyboard.type('short');
        await tabTo(page, '[data-shows]');
        await page.keyboard.press('Space');
        expect(await page.locator('#link-password').getAttribute('type')).toBe('text');
        await tabTo(page, '#link button.main');
        await page.keyboard.press('Enter');
        await expect.poll(() => page.locator('#link-password-error').textContent()).toMatch(/at least 8 characters/);
        expect(await focused(page)).toBe('link-password');
        expect(await page.locator('#link-password').getAttribute('aria-describedby')).toContain('link-password-error');
        await expectNoSidewaysScroll(page);
        await page.keyboard.type(password);
        await page.keyboard.press('Enter');
        await shows(page, 'Your password is changed');
        expect(await focused(page)).toBe('done-title');
      });
      await signIn(gatehouse, { userName: person.userName, password });
    });

    test('an invitation becomes an account', async () => {
      const token = await newInvitation(gatehouse);
      const userName = uniqueName();
      await at(async (page) => {
        await page.goto(atPage('invitation', token));
        await expectNoSidewaysScroll(page);
        await tabTo(page, '#form-userName');
        await page.keyboard.type(userName);
        await tabTo(page, '#form-password');
        await page.keyboard.type(password);
        await page.keyboard.press('Enter');
        await expect.poll(() => page.locator('#form-firstName-error').textContent()).toBe('This is needed.');
        expect(await focused(page)).toBe('form-firstName');
        await page.keyboard.type('Ada');
        await tabTo(page, '#form-lastName');
        await page.keyboard.type('Lovelace');
        await page.keyboard.down('Shift');
        for (let back = 0; back < 3; back++) await page.keyboard.press('Tab');
        await page.keyboard.up('Shift');
        expect(await focused(page)).toBe('form-password');
        await page.keyboard.type(password);
        await page.keyboard.press('Enter');
        await shows(page, 'Your account is made');
      });
      await signIn(gatehouse, { userName, password });
    });
  });

  test('without JavaScript a forgotten password is replaced by the code', async () => {
    const { email, userName } = await newHolder(gatehouse);
    await at(
      async (page) => {
        await page.goto(atPage('reset'));
        await page.getByLabel('E-mail address').first().fill(email);
        await page.getByRole('button', { name: 'Send the mail' }).click();
        await shows(page, 'Look into your mail');
        const [mail] = await mailbox.wait(email);
        await page.locator('#code-code').fill(mail ? codeOf(mail) : '');
        await page.locator('#code-password').fill(password);
        await page.getByRole('button', { name: 'Set the new password' }).click();
        await shows(page, 'Your password is changed');
      },
      { javaScriptEnabled: false },
    );
    await signIn(gatehouse, { userName, password });
  });

  test('without JavaScript an invitation is accepted by its pasted link', async () => {
    const token = await newInvitation(gatehouse, { firstName: 'Ada', lastName: 'Lovelace' });
    const userName = uniqueName();
    await at(
      async (page) => {
        await page.goto(atPage('invitation', token));
        await page.getByLabel('Link of the invitation').fill(atPage('invitation', token));
        await page.getByLabel('User name').fill(userName);
        await page.getByLabel('Password').fill(password);
        await page.getByRole('button', { name: 'Make the account' }).click();
        await shows(page, 'Your account is made');
      },
      { javaScriptEnabled: false },
    );
    await signIn(gatehouse, { userName, password });
  });

  test('a double click sends one form', async () => {
    const { token } = await newMailed(gatehouse, mailbox, 'verify');
    await at(async (page) => {
      let posts = 0;
      page.on('request', (request) => {
        if (request.method() === 'POST') posts++;
      });
      // the answer is late, as on a bad line
      await page.route('**/account/verify', async (route) => {
        if (route.request().method() === 'POST') await page.waitForTimeout(1_000);
        await route.continue();
      });
      await page.goto(atPage('verify', token));
      const clickTwice = `((button) => (button.click(), setTimeout(() => button.click(), 200)))`;
      await page.evaluate(`${clickTwice}(document.querySelector('#link button'))`);
      await shows(page, 'Your address is confirmed');
      expect(posts).toBe(1);
    });
  });

  test('the pages speak German to a German browser', async () => {
    await at(
      async (page) => {
        await page.goto(atPage('reset'));
        expect(await title(page)).toBe('Passwort vergessen?');
      },
      { locale: 'de-DE' },
    );
  });
});
