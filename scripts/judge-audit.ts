type Answered = { readonly stdout: string; readonly stderr: string; readonly status: number | null };
type Environment = Readonly<Record<string, string | undefined>>;
type Report = { readonly metadata?: unknown; readonly error?: { readonly code?: unknown; readonly summary?: unknown } };

/**
 * What `npm audit --json` says: findings, none, or that it was not checked, and why. What was not
 * checked is not good in CI, unless AUDIT_MAY_BE_UNCHECKED=1 says that there is no registry to ask.
 */
export function judgeAudit(
  { stdout, stderr, status }: Answered,
  { CI, AUDIT_MAY_BE_UNCHECKED }: Environment,
): { readonly isGood: boolean; readonly text: string } {
  const report = parse(stdout);
  if (report?.metadata !== undefined && status === 0) {
    return { isGood: true, text: 'npm audit: no known vulnerability in what is delivered.' };
  }
  if (report?.metadata !== undefined) return { isGood: false, text: stdout };
  const why = reasonOf(`${stdout}\n${stderr}`);
  const isAllowed = AUDIT_MAY_BE_UNCHECKED === '1' || !isCi(CI);
  const advice = isAllowed ? '' : ' In CI that is a failure; AUDIT_MAY_BE_UNCHECKED=1 allows it.';
  return { isGood: isAllowed, text: `npm audit: NOT CHECKED, ${why}.${advice}` };
}

const isCi = (value: string | undefined): boolean => value !== undefined && !['', '0', 'false'].includes(value);

/**
 * npm has no code for each: what it says of the network, of the registry's
 * answer, or nothing that we know.
 */
function reasonOf(text: string): string {
  if (/\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH)\b|network/i.test(text)) {
    return 'because the registry cannot be reached';
  }
  if (/\b(E?40[0-9]|ENOAUDIT|50[0-9])\b|audit endpoint|not implemented/i.test(text)) {
    return 'because the registry has no audit endpoint';
  }
  return `because npm answered nothing that is known here: ${text.trim().slice(0, 200)}`;
}

function parse(text: string): Report | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
