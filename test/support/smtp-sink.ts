import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

import { SMTPServer } from 'smtp-server';

/** A mail as a server got it. */
export type Received = { readonly to: readonly string[]; readonly raw: string };

export type SmtpSink = {
  readonly url: string;
  readonly received: readonly Received[];
  /** What the server answers to a recipient from now on; nothing: it takes all. */
  answer: { readonly code: number; readonly text: string } | undefined;
  /** It takes connections and recipients, and answers those no more. */
  isHanging: boolean;
  /** Recipients that wait for an answer. */
  readonly hanging: readonly string[];
  readonly stop: () => Promise<void>;
};

/** A mail server that keeps what it gets. */
export async function startSmtpSink(): Promise<SmtpSink> {
  const received: Received[] = [];
  const hanging: string[] = [];
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS', 'AUTH'],
    closeTimeout: 100,
    onRcptTo: ({ address }, _session, done) => {
      if (sink.isHanging) return void hanging.push(address);
      if (!sink.answer) return done();
      return done(Object.assign(new Error(sink.answer.text), { responseCode: sink.answer.code }));
    },
    onData: (stream, { envelope }, done) => {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const to = envelope.rcptTo.map(({ address }) => address);
        received.push({ to, raw: Buffer.concat(chunks).toString('utf8') });
        done();
      });
    },
  });
  // a client that is killed is no event for a test
  server.on('error', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  const { port } = server.server.address() as AddressInfo;
  const sink: SmtpSink = {
    url: `smtp://127.0.0.1:${port}?starttls=off`,
    received,
    answer: undefined,
    isHanging: false,
    hanging,
    stop: () => new Promise((resolve) => server.close(resolve)),
  };
  return sink;
}
