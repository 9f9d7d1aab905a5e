import { lookAlikes } from './look-alikes.js';

// in parts: `systemadmin` and `gatehouse-support` are made of them, and pretend no less
const words = `
  gatehouse service system server daemon
  admin administrator sysadmin superuser root operator owner moderator staff
  support helpdesk security abuse postmaster webmaster hostmaster mailer noreply
  anonymous nobody unknown guest everyone null undefined`;

// `meme` is a name like others
const wholeNames = ['me', 'self', 'user', 'help', 'api', 'nil', 'none'];

/** Letters that two others look like. UTS #39 has the first only. */
const pairs: Readonly<Record<string, string>> = { m: 'rn', w: 'vv', d: 'cl' };

const reserved = new RegExp(
  `^(?:${wholeNames.map(lookingLike).join('|')}|(?:${words.trim().split(/\s+/).map(lookingLike).join('|')})+)$`,
  'u',
);
// accents and whatever stands between, before or behind the letters make no other name of it
const ornaments = /[^\p{L}\p{N}$!|]/gu;

/**
 * Whether a name passes for the service, for those who run it, for nobody, or for `me` of the routes: in any case, in
 * letters of other scripts, with digits for letters, accents or signs between.
 * @param key of the name, as `prepareUserName` gives it
 */
export const isReservedName = (key: string): boolean => reserved.test(key.normalize('NFD').replace(ornaments, ''));

function lookingLike(word: string): string {
  return [...word].map((letter) => `(?:[${letter}${lookAlikes[letter]}]${orPair(letter)})`).join('');
}

function orPair(letter: string): string {
  const pair = pairs[letter];
  return pair === undefined ? '' : `|${pair}`;
}
