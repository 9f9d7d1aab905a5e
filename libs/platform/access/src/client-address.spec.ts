import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';

import { describe, expect, test } from 'vitest';

import { clientAddressFinder, parseAddress } from './client-address.js';

test.each([
  ['203.0.113.8', '203.0.113.8'],
  ['203.0.113.8:50001', '203.0.113.8'],
  ['2001:db8::8', '2001:db8::8'],
  ['2001:DB8:0:0::8', '2001:db8::8'],
  ['[2001:db8::8]', '2001:db8::8'],
  ['[2001:db8::8]:443', '2001:db8::8'],
  ['"[2001:db8::8]:443"', '2001:db8::8'],
  ['::ffff:203.0.113.8', '203.0.113.8'],
  ['::FFFF:CB00:7108', '203.0.113.8'],
  ['[::ffff:203.0.113.8]:80', '203.0.113.8'],
  ['fe80::1%eth0', 'fe80::1'],
  ['[fe80::1%25eth0]:80', 'fe80::1'],
  ['2001:db8::8:443:1:2:3:4:5', undefined],
  ['unknown', undefined],
  ['_hidden', undefined],
  ['for=203.0.113.8', undefined],
  ['localhost', undefined],
  ['203.0.113.8:', undefined],
  ['203.0.113.8:port', undefined],
  ['203.0.113.8:123456', undefined],
  ['203.0.113.256', undefined],
  ['203.0.113', undefined],
  ['0313.0.113.8', undefined],
  ['3405803784', undefined],
  ['[203.0.113.8', undefined],
  ['203.0.113.8 203.0.113.9', undefined],
  ["203.0.113.8' or 1=1", undefined],
  ['a'.repeat(3_000), undefined],
  ['', undefined],
])('%s is the address %s', (text, address) => {
  expect(parseAddress(text)).toBe(address);
});

function requestFrom(remote: string | undefined, forwarded?: string): IncomingMessage {
  const socket = Object.defineProperty(new Socket(), 'remoteAddress', { value: remote });
  const request = new IncomingMessage(socket);
  if (forwarded !== undefined) request.headers['x-forwarded-for'] = forwarded;
  return request;
}

describe('without a trusted proxy', () => {
  const find = clientAddressFinder([]);
  test.each([
    ['203.0.113.8', '203.0.113.8'],
    ['::ffff:203.0.113.8', '203.0.113.8'],
    ['fe80::1%eth0', 'fe80::1'],
    [undefined, '::'],
  ])('the connection from %s counts as %s, whatever it says', (remote, address) => {
    expect(find(requestFrom(remote, '198.51.100.1'))).toBe(address);
  });
});

describe('behind trusted proxies', () => {
  const find = clientAddressFinder(['127.0.0.1', '10.0.0.0/8', 'fd00::/8']);
  const [proxy, client, invented] = ['10.0.0.1', '203.0.113.8', '198.51.100.1'];
  test.each([
    ['nothing is forwarded', undefined, proxy],
    ['one entry is the client', client, client],
    ['the last entry is what the proxy saw', `${invented}, ${client}`, client],
    ['our own proxies in between are passed', `${invented}, ${client}, 10.0.0.7,::ffff:10.0.0.8, fd00::1`, client],
    ['ports do not matter', `${invented}:1, ${client}:50001, 10.0.0.7:8080`, client],
    ['what is no address is not taken, nor what stands before it', `${invented}, unknown`, proxy],
    ['of several proxies the one counts that was told no address', `${invented}, _hidden, 10.0.0.7`, '10.0.0.7'],
    ['empty parts are skipped', `${invented},, ${client} , ,`, client],
    ['only empty parts are nothing', ' , ,,', proxy],
    ['blanks and tabs do not matter', `\t${client}\t`, client],
    ['long texts are no address', 'a'.repeat(3_000), proxy],
    ['a client that says it is a proxy of ours is one only as far as the chain is ours', `10.9.9.9, ${client}`, client],
  ])('%s', (_, forwarded, address) => {
    expect(find(requestFrom(proxy, forwarded))).toBe(address);
  });

  test('a stranger is not believed', () => {
    expect(find(requestFrom('192.0.2.1', client))).toBe('192.0.2.1');
  });

  test('a list of thousands of our own addresses costs a few steps', () => {
    expect(find(requestFrom(proxy, '10.0.0.2,'.repeat(1_600)))).toBe('10.0.0.2');
  });

  test('the names of address ranges are known', () => {
    const byName = clientAddressFinder(['loopback', 'linklocal', 'uniquelocal']);
    for (const remote of ['127.0.0.1', '::1', '169.254.1.1', 'fe80::1%eth0', '10.1.2.3', 'fd00::1']) {
      expect(byName(requestFrom(remote, client))).toBe(client);
    }
  });
});
