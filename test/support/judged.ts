import { type Verifier, VerifyError, type VerifyOptions } from '#verifier';

/** `accepted`, or status and code of the refusal. */
export const judged = (verifier: Verifier, token: string, options?: VerifyOptions): Promise<string> =>
  verifier.verify(token, options).then(
    () => 'accepted',
    (error: unknown) => (error instanceof VerifyError ? `${error.status} ${error.code}` : `threw ${String(error)}`),
  );

/** The refusal of a token that is not good. */
export async function refusalOf(verifier: Verifier, token: string, options?: VerifyOptions): Promise<VerifyError> {
  const error = await verifier.verify(token, options).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof VerifyError) return error;
  throw new Error('The token was accepted.', { cause: error });
}
