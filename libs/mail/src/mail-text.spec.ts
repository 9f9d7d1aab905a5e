import { expect, test } from 'vitest';

import { parseMailText, toHtml, toPlainText } from './mail-text.js';

const text = parseMailText('Subject: Hello\n\nDear {{name}},\nread this:\n\n[Open it]({{link}})\n', ['name', 'link']);
const variables = { name: 'Zoë\r\nBcc: all@example.org <b>', link: 'https://id.example.org/account/reset#a-b' };

test('a variable stays in its line, so that it cannot begin another', () => {
  expect(toPlainText(text, variables)).toBe(
    'Dear Zoë Bcc: all@example.org <b>, read this:\n\nOpen it:\nhttps://id.example.org/account/reset#a-b\n',
  );
});

test('HTML has every variable escaped, and a button with its address below', () => {
  const html = toHtml(text, variables, 'en');
  expect(html).toContain('<p>Dear Zoë Bcc: all@example.org &lt;b&gt;, read this:</p>');
  expect(html).toMatch(
    /<a class="button" style="[^"]+" href="https:\/\/id\.example\.org\/account\/reset#a-b">Open it<\/a>/,
  );
  expect(html).toContain('<p class="address">https://id.example.org/account/reset#a-b</p>');
});

test.each([
  ['Hello\n\nyou', 'it must begin with a line `Subject: …` and an empty line'],
  ['Subject: Hello', 'it has no paragraphs'],
  ['Subject: {{name}}\n\nyou', 'its subject takes no variables'],
  ['Subject: Hello\n\n{{ other }}', 'there is no variable {{other}} here, but: {{name}}'],
])('%j is refused with the reason', (source, reason) => {
  expect(() => parseMailText(source, ['name'])).toThrow(reason);
});
