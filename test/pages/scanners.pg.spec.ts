import { expect, test } from 'vitest';

import { linkScanners, newInvitation, newMailed } from '../support/account-pages.js';
import { execute, useMailbox } from '../support/reset-mailbox.js';
import { uniqueName } from '../support/people.js';
import type { Gatehouse } from '../support/start-gatehouse.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const mailbox = useMailbox();
const gatehouse = useGatehouse({ environment: mailbox.environment });
const times = 20;
const password = 'eight tall chimneys';

/** Each program follows a link so many times, by GET and by HEAD, redirects too. */
async function scan({ url }: Gatehouse, link: string): Promise<void> {
  for (const agent of linkScanners) {
    const visits = Array.from({ length: times }, async (_, at) => {
      const headers = { 'user-agent': agent, accept: at % 4 < 2 ? 'text/html' : '*/*' };
      const { status } = await fetch(url + link, { method: at % 2 === 0 ? 'GET' : 'HEAD', headers });
      expect(status).toBe(200);
    });
    await Promise.all(visits);
  }
}

const formsOf = (page: string, token: string): readonly string[] => [
  `${page}#${token}`,
  `${page}?utm_source=mail#${token}`,
  `${page}%23${token}`,
  `${page}/${token}`,
  `${page}/%2523${token}.`,
];

const confirm = {
  verify: (token: string) => gatehouse.api.post('/v1/auth/email-verification/confirm', { body: { token } }),
  reset: (token: string) => gatehouse.api.post('/v1/auth/password-reset/confirm', { body: { token, password } }),
  invitation: (token: string) => {
    const body = { token, userName: uniqueName(), password, firstName: 'Ada', lastName: 'Lovelace' };
    return gatehouse.api.post('/v1/auth/invitations/accept', { body });
  },
};

test.each(['verify', 'reset', 'invitation'] as const)(
  '15 programs that look at links to /account/%s use nothing up, and the link works afterwards',
  async (page) => {
    const token =
      page === 'invitation' ? await newInvitation(gatehouse) : (await newMailed(gatehouse, mailbox, page)).token;
    const rows = (): Promise<unknown[]> =>
      execute(
        gatehouse,
        page === 'invitation' ? 'select * from invitations order by id' : 'select * from one_time_tokens order by id',
      );
    const before = await rows();
    for (const link of formsOf(`/account/${page}`, token)) await scan(gatehouse, link);
    expect(before).not.toEqual([]);
    expect(await rows()).toEqual(before);
    expect((await confirm[page](token)).status).toBe(page === 'invitation' ? 201 : 204);
    expect((await confirm[page](token)).status).toBe(400);
  },
  120_000,
);
