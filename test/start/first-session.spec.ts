import { describe, expect, test } from 'vitest';

import { isAccepted, newPerson, registration, signIn, signInAdmin, uniqueName } from '../support/people.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const gatehouse = useGatehouse();

describe('the first session', () => {
  test('somebody registers, signs in, changes a name, logs out, and the token is dead', async () => {
    const { api } = gatehouse;
    const userName = uniqueName('Ada');
    const created = await api.post('/v1/users', { body: registration({ userName }) });
    expect(created.status).toBe(201);
    expect(created.headers.get('location')).toBe(`/v1/users/${created.body.id}`);
    expect(created.body).toMatchObject({ userName, roles: ['user'], status: 'active', avatar: null, email: null });
    expect(created.text).not.toContain('password');

    const { token } = await signIn(gatehouse, { userName: userName.toUpperCase(), password: 'seven green bottles' });
    const changed = await api.patch('/v1/users/me', { token, body: { firstName: 'Augusta' } });
    expect(changed.body).toMatchObject({ firstName: 'Augusta', lastName: 'Lovelace' });
    expect((await api.get('/v1/users/me', { token })).body).toEqual(changed.body);

    expect((await api.post('/v1/auth/logout', { token })).status).toBe(204);
    const refused = await api.get('/v1/users/me', { token });
    expect(refused.status).toBe(401);
    expect(refused.body.code).toBe('invalid-token');
    expect(refused.headers.get('www-authenticate')).toContain('error="invalid_token"');
  });

  test('a deactivated user is out at once, and cannot sign in until activated again', async () => {
    const { api } = gatehouse;
    const person = await newPerson(gatehouse);
    const boss = await signInAdmin(gatehouse);
    const path = `/v1/users/${person.id}`;
    expect((await api.patch(path, { token: boss.token, body: { status: 'deactivated' } })).status).toBe(200);
    expect(await isAccepted(gatehouse, person.token)).toBe(false);
    const login = await api.post('/v1/auth/login', { body: { userName: person.userName, password: person.password } });
    expect([login.status, login.body.code]).toEqual([401, 'invalid-credentials']);
    await api.patch(path, { token: boss.token, body: { status: 'active' } });
    expect(await isAccepted(gatehouse, person.token)).toBe(false);
    expect(await isAccepted(gatehouse, (await signIn(gatehouse, person)).token)).toBe(true);
  });

  test('a deleted user is gone, and the tokens with it', async () => {
    const { api } = gatehouse;
    const person = await newPerson(gatehouse);
    expect((await api.delete('/v1/users/me', { token: person.token })).status).toBe(204);
    expect(await isAccepted(gatehouse, person.token)).toBe(false);
    const boss = await signInAdmin(gatehouse);
    expect((await api.get(`/v1/users/${person.id}`, { token: boss.token })).status).toBe(404);
  });
});
