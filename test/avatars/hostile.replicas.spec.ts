import { beforeAll, expect, test } from 'vitest';

import { hostileImages, marker } from '../support/hostile-images.js';
import { fetchPicture, inSize, putAvatar } from '../support/images.js';
import { isAccepted, newPerson, type Person } from '../support/people.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const gatehouse = useGatehouse();
let person: Person;

beforeAll(async () => {
  person = await newPerson(gatehouse);
});

test('hostile files are refused with a problem or stored as plain pixels, and the service survives', async () => {
  const wrong: string[] = [];
  for (const { name, bytes, statuses } of await hostileImages('quick')) {
    const { status, body } = await putAvatar(gatehouse, 'me', bytes, { token: person.token });
    if (!statuses.includes(status)) wrong.push(`${name}: ${status} ${body.code ?? ''}`);
    if (status !== 200) continue;
    for (const size of body.avatar.sizes) {
      const { bytes: served } = await fetchPicture(gatehouse, inSize(body.avatar.url, size));
      if (served.includes(marker) || served.toString('latin1', 8, 12) !== 'WEBP')
        wrong.push(`${name}: served as it was`);
    }
  }
  expect(wrong).toEqual([]);
  expect(await isAccepted(gatehouse, person.token)).toBe(true);
});
