import { z } from 'zod';

import { textSchema } from '#libs/platform/contract';

/** Of an app or for recovery: with what people type between the letters. */
export const secondFactorCodeSchema = textSchema({ min: 1, max: 64 }).meta({
  description: 'Six digits of the app; spaces do not count',
  example: '123456',
});

export const confirmTotpSchema = z.strictObject({ code: secondFactorCodeSchema }).meta({ id: 'ConfirmTotp' });
export type ConfirmTotp = z.infer<typeof confirmTotpSchema>;

export const startedTotpSchema = z
  .strictObject({
    secret: z.string().meta({ description: 'Base32 (RFC 4648), to be typed into an app' }),
    uri: z.string().meta({ description: '`otpauth:` URI of the secret, as apps take it' }),
    qr: z.string().meta({ description: 'QR code of `uri`: a data URL of an SVG image' }),
  })
  .meta({ id: 'StartedTotp' });
export type StartedTotp = z.infer<typeof startedTotpSchema>;

export const recoveryCodesSchema = z
  .strictObject({
    recoveryCodes: z.array(z.string()).length(10).meta({ description: 'Each is good once; shown this once only' }),
  })
  .meta({ id: 'RecoveryCodes' });
export type RecoveryCodes = z.infer<typeof recoveryCodesSchema>;

const factorSchema = z
  .strictObject({
    id: z.uuid(),
    kind: z.literal('totp'),
    createdAt: z.iso.datetime(),
    lastUsedAt: z.iso.datetime().nullable(),
  })
  .meta({ id: 'SecondFactorEntry' });
export type FactorView = z.infer<typeof factorSchema>;

export const secondFactorSchema = z
  .strictObject({
    factors: z.array(factorSchema).meta({ description: 'Those that are in use; none when it is off' }),
    recoveryCodesLeft: z.int().min(0),
  })
  .meta({ id: 'SecondFactor' });
export type SecondFactorView = z.infer<typeof secondFactorSchema>;
