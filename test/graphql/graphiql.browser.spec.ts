import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { findChromium } from '../support/chromium.js';
import { newPerson, type Person } from '../support/people.js';
import { type Gatehouse, startGatehouse } from '../support/start-gatehouse.js';

const executablePath = findChromium();
if (!executablePath) console.log('GraphiQL: skipped, because there is no Chromium here (see CHROMIUM_PATH)');

describe.runIf(executablePath)('GraphiQL in Chromium', () => {
  let gatehouse: Gatehouse;
  let browser: Browser;
  let page: Page;
  let person: Person;
  const elsewhere: string[] = [];
  const problems: string[] = [];

  beforeAll(async () => {
    gatehouse = await startGatehouse();
    person = await newPerson(gatehouse);
    browser = await chromium.launch({ executablePath: executablePath ?? '', args: ['--no-sandbox'] });
    page = await browser.newPage();
    page.on('request', (request) => {
      if (!request.url().startsWith(gatehouse.url) && !/^(data|blob):/.test(request.url()))
        elsewhere.push(request.url());
    });
    page.on('pageerror', (error) => problems.push(String(error)));
    page.on('console', (message) => {
      if (message.type() === 'error') problems.push(message.text());
    });
  });
  afterAll(async () => {
    await browser.close();
    await gatehouse.stop();
  });

  test('runs `me` with a token and shows the schema, without an error or a request to another host', async () => {
    await page.goto(`${gatehouse.url}/graphql`);
    await page.getByRole('button', { name: 'Headers' }).click();
    await page.locator('.graphiql-editor-tool .graphiql-editor:not(.hidden) .CodeMirror').click();
    await page.keyboard.insertText(`{ "authorization": "Bearer ${person.token}" }`);
    await page.getByRole('button', { name: /Execute query/ }).click();
    const result = page.locator('section[aria-label="Result Window"]');
    await expect.poll(() => result.textContent(), { timeout: 10_000 }).toContain(person.userName);
    await page
      .getByRole('button', { name: /Documentation Explorer/ })
      .first()
      .click();
    await expect.poll(() => page.locator('.graphiql-doc-explorer').textContent()).toContain('Mutation');
    if (process.env['SCREENSHOT_DIR']) await page.screenshot({ path: `${process.env['SCREENSHOT_DIR']}/graphiql.png` });
    expect([elsewhere, problems]).toEqual([[], []]);
    // GraphiQL's history would hold the token
    expect(await page.evaluate('[localStorage.length, sessionStorage.length]')).toEqual([0, 0]);
  });
});
