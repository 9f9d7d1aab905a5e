import { z } from 'zod';

import { about, integer } from './setting-schemas.js';

/** `smtp:` or `smtps:`, a host, a port, perhaps a user and a password. */
const smtpUrl = z
  .url({ protocol: /^smtps?$/, error: 'must be an smtp:// or smtps:// URL' })
  .superRefine((text, context) => {
    if (!URL.canParse(text)) return;
    const { hostname, searchParams } = new URL(text);
    if (hostname === '') context.addIssue({ code: 'custom', message: 'must name a host' });
    if (['required', 'optional', 'off'].includes(searchParams.get('starttls') ?? 'required')) return;
    context.addIssue({ code: 'custom', message: '`starttls` must be required, optional or off' });
  });

/** An address, or a name and an address in angle brackets (RFC 5322 §3.4); one line. */
const mailFrom = z
  .string()
  .regex(/^(?:[^<>@\r\n"]{1,64} <[^<>@\s]{1,64}@[^<>@\s]{1,255}>|[^<>@\s]{1,64}@[^<>@\s]{1,255})$/, {
    error: 'must be an address, or `Name <address>`',
  });

/** How mail leaves, and what it looks like. */
export const mailSettings = {
  MAIL: z
    .enum(['off', 'smtp', 'file'], { error: 'must be off, smtp or file' })
    .default('off')
    .meta(about('How mail leaves: over SMTP, or as files under DATA_DIR/mail, for development')),
  SMTP_URL: smtpUrl.optional().meta(
    about('Mail server; `smtp:` needs STARTTLS unless `?starttls=optional` or `=off` says otherwise', {
      secret: true,
      example: 'smtps://user:secret@smtp.example.org:465',
    }),
  ),
  MAIL_FROM: mailFrom
    .optional()
    .meta(about('Sender of all mail', { preset: 'required with MAIL', example: 'Example <id@example.org>' })),
  MAIL_LOCALE: z
    .enum(['en', 'de'], { error: 'must be en or de' })
    .default('en')
    .meta(about('Language of mail where nothing else says one')),
  MAIL_LIMIT_PER_ADDRESS: integer(1, 1_000)
    .prefault('5')
    .meta(about('Mails with a link and a code that an address gets in an hour, whoever asks for them')),
  EMAIL_VERIFICATION: z
    .enum(['off', 'login'], { error: 'must be off or login' })
    .default('off')
    .meta(about('`login`: who has an address that is not confirmed cannot sign in, and registration asks for one')),
  MAIL_TEMPLATES: z
    .string()
    .optional()
    .meta(about('Folder with own texts of mail; docs/mail.md says which', { preset: 'the texts of Gatehouse' })),
};
