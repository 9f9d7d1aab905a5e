/**
 * What looks like a small Latin letter, or like its capital, among the letters of user names in small and without marks.
 *
 * Made from confusables.txt of Unicode 15.0 (UTS #39, by ICU 72): a letter is in a row when its skeleton, or that of its
 * capital, is the skeleton of the row's letter or of its capital, marks aside. Left out: writing from right to left, and
 * scripts that look like fewer than eight letters, since a name keeps to one script. Added by hand: small capitals, `п`,
 * and the digits and signs that people write for letters.
 */
export const lookAlikes: Readonly<Record<string, string>> = {
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
