import { beforeAll, expect, test } from 'vitest';

import { importRow, importUsers } from '../support/imports.js';
import { signInAdmin, uniqueName } from '../support/people.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const gatehouse = useGatehouse();
let token: string;

beforeAll(async () => {
  token = (await signInAdmin(gatehouse)).token;
});

type Row = Record<string, unknown>;
const outcomes = async (rows: readonly Row[]): Promise<unknown[]> => {
  const { results } = await importUsers(gatehouse, rows, { token, query: '?onExisting=update' });
  return results.map(({ status, code }: { status: string; code?: string }) => code ?? status);
};
/** So many users, as rows that give all of them one external id. */
async function rivals(count: number): Promise<Row[]> {
  const rows = Array.from({ length: count }, () => importRow());
  await importUsers(gatehouse, rows, { token });
  const externalId = uniqueName('crm');
  return rows.map((row) => Object.assign({}, row, { externalId }));
}

test('an external id that two users are given is that of the first; the other row says what is taken', async () => {
  expect(await outcomes(await rivals(2))).toEqual(['updated', 'external-id-taken']);
});

test('of imports at once that give one external id, one has it, and no other says that an address is taken', async () => {
  const rows = await rivals(8);
  const given = (await Promise.all(rows.map((row) => outcomes([row])))).flat();
  expect(given.filter((outcome) => outcome === 'updated')).toHaveLength(1);
  // a row that comes later finds the user who has the id by now, and its name is another's
  expect(['updated', 'external-id-taken', 'user-name-taken']).toEqual(expect.arrayContaining(given));
});
