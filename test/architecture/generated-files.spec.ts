import { resolve } from 'node:path';

import { expect, test } from 'vitest';

import { errorCodes } from '#libs/platform/errors';

// the schema is the library's own business, but the file beside the README is made from it
import { renderEnvExample } from '../../libs/platform/config/src/env-example.js';

const root = resolve(import.meta.dirname, '../..');

test('.env.example has every variable with its meaning and default', async () => {
  await expect(renderEnvExample()).toMatchFileSnapshot(resolve(root, '.env.example'));
});

test('docs/errors.md has every code with its status and text', async () => {
  await expect(renderErrors()).toMatchFileSnapshot(resolve(root, 'docs/errors.md'));
});

function renderErrors(): string {
  const rows = Object.entries(errorCodes).map(
    ([code, { status, title, detail }]) => `| \`${code}\` | ${status} | ${title} | ${detail} |`,
  );
  return `# Errors

Every error is a problem document (RFC 9457, \`application/problem+json\`):

\`\`\`json
{
  "type": "urn:gatehouse:error:invalid-request",
  "title": "Invalid request",
  "status": 400,
  "detail": "The request has missing, unknown or invalid fields; \`errors\` lists each of them.",
  "instance": "/v1/users",
  "code": "invalid-request",
  "requestId": "6f9619ff-8b86-d011-b42d-00c04fc964ff",
  "errors": [{ "path": "email", "message": "must be an e-mail address", "code": "invalid-format" }]
}
\`\`\`

Rely on \`code\`: it is stable, texts are not. \`requestId\` finds the request in the log. \`detail\` may be more precise than
the text below. This table is made from \`libs/platform/errors/src/error-codes.ts\` by \`npm run generate\`.

| code | status | title | detail |
| ---- | ------ | ----- | ------ |
${rows.join('\n')}
`;
}
