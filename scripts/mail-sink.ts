import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Readable } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';

import PostalMime from 'postal-mime';
import { SMTPServer } from 'smtp-server';

/**
 * A mail server for development: `npm run mail-sink -- [port]`. It takes all mail from this
 * machine, passes none on, and shows each as people would read it.
 */
const port = Number(process.argv[2] ?? 1025);

const server = new SMTPServer({
  authOptional: true,
  disabledCommands: ['STARTTLS', 'AUTH'],
  onData: (stream, { envelope }, done) => {
    const to = envelope.rcptTo.map(({ address }) => address).join(', ');
    void show(stream, to).then(() => done(), done);
  },
});
// a client that hangs up is no reason to end
server.on('error', (error: NodeJS.ErrnoException) => {
  if (error.syscall !== 'listen') return;
  console.error(`Port ${port} cannot be had (${error.code}): npm run mail-sink -- <another port>`);
  process.exit(1);
});
server.listen(port, '127.0.0.1');
await once(server.server, 'listening');
const { port: taken } = server.server.address() as AddressInfo;
console.log(`Mail is shown here. In another terminal:

  export MAIL=smtp MAIL_FROM='Example <id@example.org>' SMTP_URL='smtp://127.0.0.1:${taken}?starttls=off'
  npm run cli -- mail test you@example.org
`);

async function show(source: Readable, to: string): Promise<void> {
  const chunks: Buffer[] = await source.toArray();
  const { subject = '', messageId = '', text = '' } = await PostalMime.parse(Buffer.concat(chunks));
  const mail = `To: ${to}\nSubject: ${subject}\nMessage-ID: ${messageId}\n\n${text.trim()}`;
  console.log(`${'-'.repeat(72)}\n${withoutControls(mail)}\n`);
}

/** Without what would move the cursor or recolour the terminal: people choose their names. */
function withoutControls(text: string): string {
  return stripVTControlCharacters(text).replaceAll(/[^\P{Cc}\n]/gu, '');
}
