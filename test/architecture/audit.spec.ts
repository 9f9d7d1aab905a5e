import { expect, test } from 'vitest';

import { judgeAudit } from '../../scripts/judge-audit.js';

const none = { stdout: '{"metadata":{"vulnerabilities":{"total":0}}}', stderr: '', status: 0 };
const findings = { stdout: '{"metadata":{"vulnerabilities":{"total":1}}}', stderr: '', status: 1 };
const noEndpoint = {
  stdout: '{"message":"404 Not Found - POST https://registry.example/-/npm/v1/security/audits/quick","error":{}}',
  stderr: 'npm warn audit 404 Not Found\nnpm error audit endpoint returned an error',
  status: 1,
};
const offline = {
  stdout: '{"error":{"code":"ENOTFOUND"}}',
  stderr: 'npm error network request to https://registry.npmjs.org failed, reason: getaddrinfo ENOTFOUND',
  status: 1,
};
const strange = { stdout: '', stderr: 'something else', status: null };

test.each([
  ['nothing is found', none, {}, true, 'no known vulnerability'],
  ['nothing is found, in CI', none, { CI: 'true' }, true, 'no known vulnerability'],
  ['something is found', findings, {}, false, '"total":1'],
  ['something is found where it may be unchecked', findings, { AUDIT_MAY_BE_UNCHECKED: '1' }, false, '"total":1'],
  ['there is no endpoint', noEndpoint, {}, true, 'NOT CHECKED, because the registry has no audit endpoint.'],
  ['there is no endpoint, in CI', noEndpoint, { CI: 'true' }, false, 'AUDIT_MAY_BE_UNCHECKED=1 allows it'],
  ['there is none, and that is allowed', noEndpoint, { CI: '1', AUDIT_MAY_BE_UNCHECKED: '1' }, true, 'NOT CHECKED'],
  ['the machine is offline', offline, {}, true, 'NOT CHECKED, because the registry cannot be reached.'],
  ['the machine is offline, in CI', offline, { CI: 'true' }, false, 'cannot be reached'],
  ['npm says what nobody knows, in CI', strange, { CI: 'true' }, false, 'something else'],
] as const)('when %s', (_, answered, environment, isGood, text) => {
  const judged = judgeAudit(answered, environment);
  expect(judged.isGood).toBe(isGood);
  expect(judged.text).toContain(text);
});
