import { z } from 'zod';

export const locales = ['en', 'de'] as const;
export type Locale = (typeof locales)[number];

/** What each mail may say beside its fixed words: the closed list of variables of its texts. */
export const mailVariables = {
  test: [],
  verify: ['firstName', 'link', 'code'],
  reset: ['firstName', 'link', 'code'],
  'address-change': ['firstName', 'link', 'code'],
  'address-changed': ['firstName', 'time'],
  invitation: ['link', 'expires'],
  'password-changed': ['firstName', 'time', 'ip'],
  'new-sign-in': ['firstName', 'time', 'ip', 'device'],
  'second-factor-changed': ['firstName', 'time'],
} as const satisfies Readonly<Record<string, readonly string[]>>;
export type MailKind = keyof typeof mailVariables;

/** A variable that every text may use: the name of this installation, its `PUBLIC_URL`. */
export const commonVariables = ['service'] as const;

export const mailKinds = Object.keys(mailVariables).filter((kind): kind is MailKind => kind in mailVariables);

/** A mail that is to be sent, as it waits in the outbox. */
export type Mail<Kind extends MailKind = MailKind> = {
  readonly kind: Kind;
  readonly to: string;
  readonly locale: Locale;
  readonly variables: Readonly<Record<(typeof mailVariables)[Kind][number], string>>;
};

export const mailSchema = z.object({
  kind: z.enum(mailKinds),
  to: z.string(),
  locale: z.enum(locales),
  variables: z.record(z.string(), z.string()),
});
