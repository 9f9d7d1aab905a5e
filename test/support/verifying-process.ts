import { createVerifier, VerifyError, type VerifierOptions } from '#verifier';

// A service in a process of its own, so that its clock can be another: tokens come in, verdicts go
// out. `verifier-process.ts` starts it.
const verifier = createVerifier(JSON.parse(process.argv[2] ?? '') as VerifierOptions);
await verifier.ready();
process.send?.('ready');

process.on('message', (token: string) => {
  verifier.verify(token).then(
    () => process.send?.('accepted'),
    (error: unknown) => process.send?.(error instanceof VerifyError ? error.code : String(error)),
  );
});
process.on('disconnect', () => void verifier.close());
