import { beforeAll, expect, test } from 'vitest';

import { newMessage } from '../support/messages.js';
import { newPerson, type Person } from '../support/people.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const gatehouse = useGatehouse();
let person: Person;

beforeAll(async () => {
  person = await newPerson(gatehouse);
});

const everyControl = Array.from({ length: 0xa0 }, (_, code) => String.fromCodePoint(code))
  .slice(1)
  .join('');
/**
 * Texts that something along the way might mend, after the kinds of the
 * "big list of naughty strings".
 */
const naughty = [
  ' ',
  '\n',
  ' \t\r\n leading and trailing \u00a0\u3000 ',
  'line\r\nends\rof\nall\u0085kinds\u2028and\u2029more',
  everyControl,
  String.raw`\u0000 \0 %00 &#0; \x00`,
  '\ufeffa byte order mark\ufeff and \u200b\u200c\u200d\u2060 nothing',
  'e\u0301 is not \u00e9 and \uff41 is not a, \u212b \u00c5 A\u030a',
  '\u202ereversed\u202c \u2066isolated\u2069 \u200f\u061c right',
  'שלום עולם مرحبا بالعالم ﷽',
  '田中さんにあげて下さい 社會科學院語學研究所 울란바토르',
  '👩‍👩‍👧‍👦 🏳️‍🌈 🇬🇧 \u{10ffff} \u{1f9ff}\ufe0f',
  'Z\u0351\u036b\u0343\u036aa\u0334\u0335l\u0327\u0328g\u0321\u0322o\u0489',
  '\ufffd\ufffe\uffff\u{1fffe} noncharacters \ue000 private',
  '<script>alert(1)</script><img src=x onerror=alert(2)><svg/onload=alert(3)>',
  `"><a href="javascript:alert(1)">x</a> ' onmouseover='alert(2)`,
  `'; drop table messages; -- $1 $$ ? :name`,
  '{{constructor.constructor("return this")()}} ${7*7} <%= 7*7 %> #{7*7}',
  '{"__proto__":{"admin":true},"body":"nested"}',
  '../../../../etc/passwd%00 %2e%2e/ file:///C:/con',
  String.raw`\ \\ \" \/ \b \f \n \r \t \u202e`,
  'NaN Infinity -0 1e400 0x10 null undefined true',
  'data:text/html;base64,PHNjcmlwdD4= vbscript:msgbox(1)',
  'header: injected\r\nSet-Cookie: a=b\r\n\r\n<html>',
  '\u001b[31mred\u001b[0m \u0007 \u0008 \u007f',
  '-----BEGIN PRIVATE KEY-----\nMIIEvQ==\n-----END PRIVATE KEY-----\n',
  "=1+1+cmd|'/C calc'!A0",
  'x'.repeat(65_536),
  '\u{1f600}'.repeat(16_384),
];

const codePoints = (text: string): string => Buffer.from(text).toString('hex');

test('every text that is taken comes back byte for byte, as JSON and as text', async () => {
  for (const body of naughty) {
    const { path } = await newMessage(gatehouse, { token: person.token, body });
    const json = await fetch(`${gatehouse.url}${path}/reveal`, { method: 'POST' });
    expect(codePoints((JSON.parse(await json.text()) as { body: string }).body)).toBe(codePoints(body));
    const plain = await fetch(gatehouse.url + path, { headers: { accept: 'text/plain' } });
    expect(Buffer.from(await plain.arrayBuffer()).toString('hex')).toBe(codePoints(body));
  }
});

test('the same text with every character escaped is the same message', async () => {
  for (const body of naughty.filter(({ length }) => length < 1_000)) {
    const escaped = [...Array(body.length).keys()]
      .map((at) => String.raw`\u` + body.charCodeAt(at).toString(16).padStart(4, '0'))
      .join('');
    const created = await gatehouse.api.post('/v1/messages', { token: person.token, body: `{"body":"${escaped}"}` });
    const answer = await gatehouse.api.get(`/v1/messages/${created.body.url.split('#')[1]}`);
    expect(answer.body.body).toBe(body);
  }
});

test.each([
  ['a lone high surrogate', String.raw`{"body":"\ud800"}`],
  ['a lone low surrogate', String.raw`{"body":"a\udfffb"}`],
  ['surrogates in the wrong order', String.raw`{"body":"\udc00\ud800"}`],
  ['NUL', String.raw`{"body":"a\u0000b"}`],
  ['bytes that are not UTF-8', new Uint8Array([...Buffer.from('{"body":"'), 0xc0, 0x80, 0x22, 0x7d])],
  ['a surrogate in UTF-8', new Uint8Array([...Buffer.from('{"body":"'), 0xed, 0xa0, 0x80, 0x22, 0x7d])],
])('%s is refused', async (_, body) => {
  const { status, body: problem } = await gatehouse.api.post('/v1/messages', { token: person.token, body });
  expect([status, problem.code]).toEqual([400, 'invalid-encoding']);
});
