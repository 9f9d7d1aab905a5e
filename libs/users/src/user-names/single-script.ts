// Every Script value of Unicode 17.0 but Common, Inherited, Unknown and the five of the sets below;
// the frequent ones come first.
const scripts = `
  Latn Cyrl Grek Arab Hebr Deva Thai Beng Taml Telu Armn Geor Ethi Khmr Mymr Sinh Gujr Guru Knda Mlym Orya Laoo Tibt
  Adlm Aghb Ahom Armi Avst Bali Bamu Bass Batk Berf Bhks Brah Brai Bugi Buhd Cakm Cans Cari Cham Cher Chrs Copt Cpmn
  Cprt Diak Dogr Dsrt Dupl Egyp Elba Elym Gara Glag Gong Gonm Goth Gran Gukh Hano Hatr Hluw Hmng Hmnp Hung Ital Java
  Kali Kawi Khar Khoj Kits Krai Kthi Lana Lepc Limb Lina Linb Lisu Lyci Lydi Mahj Maka Mand Mani Marc Medf Mend Merc
  Mero Modi Mong Mroo Mtei Mult Nagm Nand Narb Nbat Newa Nkoo Nshu Ogam Olck Onao Orkh Osge Osma Ougr Palm Pauc Perm
  Phag Phli Phlp Phnx Plrd Prti Rjng Rohg Runr Samr Sarb Saur Sgnw Shaw Shrd Sidd Sidt Sind Sogd Sogo Sora Soyo Sund
  Sunu Sylo Syrc Tagb Takr Tale Talu Tang Tavt Tayo Tfng Tglg Thaa Tirh Tnsa Todr Tols Toto Tutg Ugar Vaii Vith Wara
  Wcho Xpeo Xsux Yezi Yiii Zanb`;

// Each of these counts as one script (UTS #39 section 5.1).
const japanese = ['Hani', 'Hira', 'Kana'];
const korean = ['Hani', 'Hang'];
const hanWithBopomofo = ['Hani', 'Bopo'];

const writingSystems: readonly RegExp[] = [
  ...[japanese, korean, hanWithBopomofo].map(writtenIn),
  ...scripts
    .trim()
    .split(/\s+/)
    .map((script) => writtenIn([script])),
];

const goesWithEveryScript = /[\p{Script_Extensions=Common}\p{Script_Extensions=Inherited}]+/gv;

/**
 * Whether a name is "single script" (UTS #39 section 5.1): the intersection of the augmented
 * Script_Extensions of its characters is not empty. Common and Inherited go with every script.
 *
 * Finds a Cyrillic `а` among Latin letters, but not a whole name of look-alikes (`сосо`).
 */
export function isSingleScript(name: string): boolean {
  const letters = name.replace(goesWithEveryScript, '');
  return writingSystems.some((writingSystem) => writingSystem.test(letters));
}

function writtenIn(codes: readonly string[]): RegExp {
  const characters = codes.map((code) => `\\p{Script_Extensions=${code}}`).join('');
  return new RegExp(`^[${characters}]*$`, 'v');
}
