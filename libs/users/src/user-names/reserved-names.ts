/**
 * Lower-case letters without marks that look like a small Latin letter or like its capital.
 *
 * Made from confusables.txt of Unicode 15.0 (UTS #39, by ICU 72): a letter is in a row when its
 * skeleton, or that of its capital, is the skeleton of the row's letter or of its capital, marks
 * aside. Left out: right-to-left scripts, and scripts that look like fewer than eight letters,
 * since a name keeps to one script. Added by hand: small capitals, `п`, and the digits and signs
 * that people write for letters.
 */
const lookAlikes: Readonly<Record<string, string>> = {
  a: '4ɑαаᗅᴀꓮꭺ𐊠𖽀',
  b: '8ƀƃƅɓʙβбвьѣҍᏼᑲᑳᖯᗷᲀᲇꓐꞵꮟ𐊂𐊡',
  c: 'ȼсҫᲃᴄⲥꓚꮯ𐊢𐔜𑣩',
  d: 'ðđƌɖɗԁᑯᗞᗪᴅꓒꓓꭰꮷ',
  e: '3ɇεеҽҿᴇꓰꬲꭼ𐊆𑣆𑣎',
  f: 'ƒϝքᖴᵮẝꓝꜰꞙꬵ𐊇𐊥𐔥𑣂',
  g: 'ƍǥɠɡɢԍցᏻᶃꓖꮐ',
  h: 'ħɦʜηнћңһӈӊհᏺᕼⱨⲏꓧꚕꮋꮒ𐋏',
  i: '!1l|ıłƚǀɨɩɪɫɭιіӏᵻᵼⲓꓲꙇꭵ𐊊𑣃𖼨',
  j: 'ɉʝϳјᒍᴊꓙꭻ',
  k: 'ƙκкқҟᴋⱪⲕꓗꝁꮶ𐔘',
  l: '!1i|ıłƚǀɨɩɫɭʟιіӏᒪⲓⳑꓡꓲꮮ𐊊𐔦𑣃𑣒𖼖𖼨',
  m: 'ɱμϻмӎᗰᴍᵯⲙꓟꮇ𐊰𑣣',
  n: 'ƞɲɳɴηνпոռᵰⲛꓠ𐔓',
  o: '0øɵθοσоѳөօᲂᴏᴑⲟꓳꝋꬽꬾꭴꮎꮻ𐊒𐊫𐔖𑣈𑣕𑣗𑣠',
  p: 'ƥρрᑭᴘᵽⲣꓑꮲ𐊕',
  q: 'ʠԛգզ',
  r: 'ɍɼɽʀгғᖇᴦᵲⲅꓣꭇꭈꭱꮁꮢ𖼵',
  s: '$5ƽʂѕտᵴꓢꜱꮥꮪ𐊖𑣁𖼺',
  t: '7ŧƭʈτтҭᲄᲅᴛᵵⱦⲧꓔꭲ𐊗𐊱𑣜𖼊',
  u: 'ʉʋυսᑌᴜᵾꓴꞟꭎꭒꮜ𑣘𖽂',
  v: 'νѵᐯᴠꓦꮩ𐔝𑣀𖼈',
  w: 'ɯѡѽԝաᴡꓪꝡꮃꮤ𑣦',
  x: 'χхҳᕁᕽⲭꓫꭓ𐊐𐊴𐔧',
  y: 'ƴɏɣʏγυуүұᶌỿⲩꓬꭚꭹꮍ𐊲𑣄𑣜𖽃',
  z: 'ƶȥʐζᴢᵶꓜꮓ𑣄𑣉𑣥',
};

// also in compounds: `systemadmin` and `gatehouse-support` mislead as much
const words = `
  gatehouse service system server daemon
  admin administrator sysadmin superuser root operator owner moderator staff
  support helpdesk security abuse postmaster webmaster hostmaster mailer noreply
  anonymous nobody unknown guest everyone null undefined`;

// only as a whole: `meme` is a good name
const wholeNames = ['me', 'self', 'user', 'help', 'api', 'nil', 'none'];

/** Letters that look like a pair of others. UTS #39 has only the first. */
const pairs: Readonly<Record<string, string>> = { m: 'rn', w: 'vv', d: 'cl' };

const reserved = new RegExp(
  `^(?:${wholeNames.map(lookingLike).join('|')}|(?:${words.trim().split(/\s+/).map(lookingLike).join('|')})+)$`,
  'u',
);
// accents, and signs between, before or behind the letters, do not make another name
const ornaments = /[^\p{L}\p{N}$!|]/gu;

/**
 * Whether a name could pass for the service, its operators, nobody, or `me` of the routes: also in
 * look-alike letters of other scripts, with digits for letters, with accents, or with signs
 * between.
 * @param key of the name, as `prepareUserName` returns it
 */
export const isReservedName = (key: string): boolean => reserved.test(key.normalize('NFD').replace(ornaments, ''));

function lookingLike(word: string): string {
  return [...word].map((letter) => `(?:[${letter}${lookAlikes[letter]}]${orPair(letter)})`).join('');
}

function orPair(letter: string): string {
  const pair = pairs[letter];
  return pair === undefined ? '' : `|${pair}`;
}
