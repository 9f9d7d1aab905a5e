import type { AppError, FieldError } from '#libs/platform/errors';

import type { PageTexts } from '../texts/english.js';

/** What is wrong, as people read it: with the whole form, or with a field. */
export type Faults = {
  readonly form: string | undefined;
  readonly fields: Readonly<Record<string, readonly string[]>>;
};

export const noFaults: Faults = { form: undefined, fields: {} };

/** The fields that an error's code is about. */
const fieldsOf: Readonly<Record<string, readonly string[]>> = {
  'invalid-confirmation': ['code', 'token'],
  'user-name-taken': ['userName'],
};

/** @param names of the fields that are on the page; what is wrong elsewhere is said of the form */
export function toFaults(error: AppError, texts: PageTexts, names: readonly string[]): Faults {
  const listed = error.options.errors ?? [];
  const fields: Record<string, string[]> = {};
  for (const fault of listed.filter(({ path }) => names.includes(path))) {
    (fields[fault.path] ??= []).push(reasonFor(fault, texts));
  }
  if (Object.keys(fields).length > 0) return { form: undefined, fields };
  const field = fieldsOf[error.code]?.find((name) => names.includes(name));
  if (field === undefined) return { form: textOf(error, texts), fields };
  const text = field === 'token' ? texts.badInvitation : textOf(error, texts);
  return { form: undefined, fields: { [field]: [text] } };
}

function textOf({ code, message, options }: AppError, texts: PageTexts): string {
  const text = texts.errors[code] ?? texts.otherError;
  return text.replace('{n}', options.headers?.['retry-after'] ?? '60').replace('{message}', message);
}

/** Codes and links have one thing that can be wrong with them. */
function reasonFor({ path, code, message }: FieldError, texts: PageTexts): string {
  const bad = { code: texts.badCode, email: texts.badEmail, token: texts.badToken }[path];
  const text = texts.reasons[code] ?? bad ?? texts.otherReason;
  return text.replace('{n}', /\d+/.exec(message)?.[0] ?? '').replace('{message}', message);
}
