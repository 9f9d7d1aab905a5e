/**
 * A hash that we did not make: its format, where it is from, and the password that it belongs to.
 */
export type HashVector = {
  readonly format: string;
  readonly source: string;
  readonly password: string;
  readonly hash: string;
};

const group = (format: string, source: string, pairs: readonly (readonly [string, string])[]): readonly HashVector[] =>
  pairs.map(([password, hash]) => ({ format, source, password, hash }));

/** RFCs give bytes; the PHC string around them is all that is ours. */
const base64 = (text: string, encoding: 'hex' | 'utf8'): string =>
  Buffer.from(text, encoding).toString('base64').replace(/=+$/, '');
const phc = (head: string, salt: string, hex: string): string =>
  `${head}$${base64(salt, 'utf8')}$${base64(hex, 'hex')}`;

const letters = 'abcdefghijklmnopqrstuvwxyz';
const signs = '~!@#$%^&*()      ~!@#$%^&*()PNBFRD';
const longText = 'a very much longer text to encrypt.  This one even stretches over morethan one line.';
const shortSalt = 'we have a short salt string but not a short password';
const leastRounds = 'the minimum number is still observed';
const greek = '\u0399\u03c9\u03b1\u03bd\u03bd\u03b7\u03c2';

export const hashVectors: readonly HashVector[] = [
  ...group('bcrypt', 'jBCrypt, TestBCrypt.java', [
    ['a', '$2a$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe'],
    ['abc', '$2a$08$Ro0CUfOqk6cXEKf3dyaM7OhSCvnwM9s4wIX9JeLapehKK5YdLxKcm'],
    ['abc', '$2a$10$WvvTPHKwdBJ3uk0Z37EMR.hLA2W6N9AEBhEgrAOljy2Ae5MtaSIUi'],
    [letters, '$2a$06$.rCVZVOThsIa97pEDOxvGuRRgzG64bvtJ0938xuqzv18d3ZpQhstC'],
    [signs, '$2a$06$fPIsBO8qRqkjj273rfaOI.HtSV9jLDpTbZn782DC6/t7qT67P6FfO'],
  ]),
  ...group('bcrypt', 'crypt_blowfish, wrapper.c', [
    ['U*U', '$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW'],
    ['U*U*U', '$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a'],
    [
      '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789chars after 72 are ignored',
      '$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui',
    ],
  ]),
  ...group('bcrypt', 'OpenBSD regress/lib/libc/crypt, as in bcrypt_elixir', [
    ['0'.repeat(72), '$2b$05$CCCCCCCCCCCCCCCCCCCCC.6.O1dLNbjod2uo0DVcW.jHucKbPDdHS'],
  ]),
  ...group('bcrypt', 'Spring Security, BCryptTests.java', [
    ['a', '$2b$06$ehKGYiS4wt2HAr7KQXS5z.OaRjB4jHO7rBHJKlGXbqEH3QVJfO7iO'],
    ['abc', '$2y$06$ACfku9dT6.H8VjdKb8nhluaoBmhJyK7GfoNScEfOfrJffUxoUeCjK'],
  ]),
  ...group('bcrypt', 'passlib issue 25: noise in the unused bits of the salt', [
    ['loppux', '$2a$12$oaQbBqq8JnSM1NHRPQGXORm4GCUMqp7meTnkft4zgSnrbhoKdDV0C'],
  ]),
  ...group('bcrypt', 'as above, with noise after the digest of a vector of jBCrypt', [
    ['abc', '$2a$06$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0j'],
  ]),
  ...group('bcrypt', 'passlib, tests/test_handlers_django.py', [
    ['lètmein', 'bcrypt_sha256$$2a$08$NDjSAIcas.EcoxCRiArvT.MkNiPYVhrsrnJsRkLueZOoV1bsQqlmC'],
  ]),
  ...group('bcrypt', 'WordPress 6.8, from a public repository', [
    ['test123', '$wp$2y$10$v719Zyb/5DiglXjaGmtVoO.58ZfZLBkfIyjXnYyIbWYYFsofeucua'],
  ]),
  ...group('phpass', 'Openwall phpass, test.php', [['test12345', '$P$9IQRaTwmfeRo7ud9Fh4E2PdI0S3r.L0']]),
  ...group('phpass', 'hashcat, example hashes 400 and 7900', [
    ['hashcat', '$P$984478476IagS59wHZvyQMArzfx58u.'],
    ['hashcat', '$H$984478476IagS59wHZvyQMArzfx58u.'],
    ['hashcat', '$S$C33783772bRXEx1aCsvY.dqgaaSu76XmVlKrW9Qu8IQlvxHlmzLf'],
  ]),
  ...group('ldap', 'passlib, tests/test_handlers.py', [
    ['helloworld', '{SHA}at+xg6SiyUovktq1redipHiJpaE='],
    ['testing123', '{SSHA}0c0blFTXXNuAMHECS4uxrj3ZieMoWImr'],
  ]),
  ...group('ldap', 'king-phisher, tests of SaltedSHA512PasswordHash', [
    [
      'password',
      '{ssha512}dOeDLmVpHJThhHeag10Hm2g4T7s3SBE6rGHcXUolXJHVufY4qT782rwZ/0XE6cuLcBZ0KpnwmUzRpAEtZBdv+JYEEtZQs/uC',
    ],
  ]),
  ...group('argon2', 'RustCrypto argon2, tests/phc_strings.rs, after phc-winner-argon2, src/test.c', [
    ['password', '$argon2i$v=19$m=65536,t=1,p=1$c29tZXNhbHQAAAAAAAAAAA$+r0d29hqEB0yasKr55ZgICsQGSkl0v0kgwhd+U3wyRo'],
    ['password', '$argon2id$v=19$m=262144,t=2,p=1$c29tZXNhbHQ$eP4eyR+zqlZX1y5xCFTkw9m5GYx0L5YWwvCFvtlbLow'],
    ['password', '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc'],
    [
      'password',
      '$argon2d$v=19$m=65536,t=2,p=1$YzI5dFpYTmhiSFFBQUFBQUFBQUFBQQ$Jxy74cswY2mq9y+u+iJcJy8EqOp4t/C7DWDzGwGB3IM',
    ],
  ]),
  ...group('scrypt', 'RFC 7914 §12', [
    [
      'password',
      phc(
        '$scrypt$ln=10,r=8,p=16',
        'NaCl',
        'fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b3731622eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640',
      ),
    ],
    [
      'pleaseletmein',
      phc(
        '$scrypt$ln=14,r=8,p=1',
        'SodiumChloride',
        '7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887',
      ),
    ],
  ]),
  ...group('scrypt', 'passlib, documentation of passlib.hash.scrypt', [
    ['password', '$scrypt$ln=16,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E'],
  ]),
  ...group('pbkdf2', 'RFC 6070', [
    ['password', phc('$pbkdf2-sha1$i=1,l=20', 'salt', '0c60c80f961f0e71f3a9b524af6012062fe037a6')],
    ['password', phc('$pbkdf2-sha1$i=4096,l=20', 'salt', '4b007901b765489abead49d926f721d065a429c1')],
    [
      'passwordPASSWORDpassword',
      phc(
        '$pbkdf2-sha1$i=4096,l=25',
        'saltSALTsaltSALTsaltSALTsaltSALTsalt',
        '3d2eec4fe41c849b80c8d83662c0e44a8b291a964cf2f07038',
      ),
    ],
  ]),
  ...group('pbkdf2', 'RFC 7914 §11', [
    [
      'passwd',
      phc(
        '$pbkdf2-sha256$i=1,l=64',
        'salt',
        '55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783',
      ),
    ],
    [
      'Password',
      phc(
        '$pbkdf2-sha256$i=80000,l=64',
        'NaCl',
        '4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56a1d425a1225833549adb841b51c9b3176a272bdebba1d078478f62b397f33c8d',
      ),
    ],
  ]),
  ...group('pbkdf2', 'RustCrypto password-hash example', [
    ['password', '$pbkdf2-sha256$i=4096,l=32$c2FsdA$xeR41ZKIyEGqUw22hFxMjZYok6ABzk4RpJY4c6qYE0o'],
  ]),
  ...group('pbkdf2', 'passlib, tests/test_handlers_pbkdf2.py', [
    ['password', '$pbkdf2$1212$OB.dtnSEXZK8U5cgxU/GYQ$y5LKPOplRmok7CZp/aqVDVg8zGI'],
    [greek, '$pbkdf2$1212$THDqatpidANpadlLeTeOEg$HV3oi1k5C5LQCgG1BMOL.BX4YZc'],
    ['password', '$pbkdf2-sha256$1212$4vjV83LKPjQzk31VI4E0Vw$hsYF68OiOUPdDZ1Fg.fJPeq1h/gXXY7acBp9/6c.tmQ'],
    [greek, '$pbkdf2-sha256$1212$3SABFJGDtyhrQMVt1uABPw$WyaUoqCLgvz97s523nF4iuOqZNbp5Nt8do/cuaa7AiI'],
    [
      'password',
      '$pbkdf2-sha512$1212$RHY0Fr3IDMSVO/RSZyb5ow$eNLfBK.eVozomMr.1gYa17k9B7KIK25NOEshvhrSX.esqY3s.FvWZViXz4KoLlQI.BzY/YTNJOiKc5gBYFYGww',
    ],
  ]),
  ...group('pbkdf2', 'Django, tests/auth_tests/test_hashers.py', [
    ['lètmein', 'pbkdf2_sha256$600000$seasalt$OAXyhAQ/4ZDA9V5RMExt3C1OwQdUpLZ99vm1McFlLRA='],
    ['lètmein', 'pbkdf2_sha256$1500000$seasalt$P4UiMPVduVWIL/oS1GzH+IofsccjJNM5hUTikBvi5to='],
  ]),
  ...group('pbkdf2', 'passlib, tests/test_apps.py', [
    ['test', 'pbkdf2_sha256$29000$ZsgquwnCyBs2$fBxRQpfKd2PIeMxtkKPy0h7SrnrN+EU/cm67aitoZ2s='],
  ]),
  ...group('firebase-scrypt', 'firebase/scrypt, README.md', [
    [
      'user1password',
      '$fbscrypt$v=1,n=14,r=8,p=1,ss=Bw==,sk=jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==$42xEC+ixf3L2lw==$lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ==',
    ],
  ]),
  ...group('firebase-scrypt', 'supabase/auth, internal/crypto/password_test.go', [
    [
      'mytestpassword',
      '$fbscrypt$v=1,n=14,r=8,p=1,ss=Bw==,sk=ou9tdYTGyYm8kuR6Dt0Bp0kDuAYoXrK16mbZO4yGwAn3oLspjnN0/c41v8xZnO1n14J3MjKj1b2g6AUCAlFwMw==$C0sHCg9ek77hsg==$zKVTMvnWVw5BBOZNUdnsalx4c4c7y/w7IS5p6Ut2+CfEFFlz37J9huyQfov4iizN8dbjvEJlM5tQaJP84+hfTw==',
    ],
  ]),
  ...group('sha-crypt', 'Drepper, https://akkadia.org/drepper/SHA-crypt.txt', [
    ['Hello world!', '$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5'],
    ['Hello world!', '$5$rounds=10000$saltstringsaltst$3xv.VbSHBb41AL9AvLeujZkZRBAwqFMz2.opqey6IcA'],
    ['This is just a test', '$5$toolongsaltstrin$Un/5jzAHMgOGZ5.mWJpuVolil07guHPvOW8mGRcvxa5'],
    [longText, '$5$rounds=1400$anotherlongsalts$Rx.j8H.h8HjEDGomFU8bDkXm3XIUnzyxf12oP84Bnq1'],
    [shortSalt, '$5$rounds=77777$short$JiO1O3ZpDAxGJeaDIuqCoEFysAe1mZNJRs3pw0KQRd/'],
    ['a short string', '$5$rounds=123456$asaltof16chars..$gP3VQ/6X7UUEW3HkBn2w1/Ptq2jxPyzV/cZKmF/wJvD'],
    [leastRounds, '$5$rounds=1000$roundstoolow$yfvwcWrQ8l/K0DAWyuPMDNHpIVlTQebY9l/gL972bIC'],
    [
      'Hello world!',
      '$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1',
    ],
    [
      'Hello world!',
      '$6$rounds=10000$saltstringsaltst$OW1/O6BYHV6BcXZu8QVeXbDWra3Oeqh0sbHbbMCVNSnCM/UrjmM0Dp8vOuZeHBy/YTBmSK6H9qs/y3RnOaw5v.',
    ],
    [
      'This is just a test',
      '$6$toolongsaltstrin$lQ8jolhgVRVhY4b5pZKaysCLi0QBxGoNeKQzQ3glMhwllF7oGDZxUhx1yxdYcz/e1JSbq3y6JMxxl8audkUEm0',
    ],
    [
      longText,
      '$6$rounds=1400$anotherlongsalts$POfYwTEok97VWcjxIiSOjiykti.o/pQs.wPvMxQ6Fm7I6IoYN3CmLs66x9t0oSwbtEW7o7UmJEiDwGqd8p4ur1',
    ],
    [
      shortSalt,
      '$6$rounds=77777$short$WuQyW2YR.hBNpjjRhpYD/ifIw05xdfeEyQoMxIXbkvr0gge1a1x3yRULJ5CCaUeOxFmtlcGZelFl5CxtgfiAc0',
    ],
    [
      'a short string',
      '$6$rounds=123456$asaltof16chars..$BtCwjqMJGx5hrJhZywWvt0RLE8uZ4oPwcelCjmw2kSYu.Ec6ycULevoBK25fs2xXgMNrCzIMVcgEJAstJeonj1',
    ],
    [
      leastRounds,
      '$6$rounds=1000$roundstoolow$kUMsbe306n21p9R.FRkW3IGn.S9NPN0x50YhH1xhLsPuWGsUSklZt58jaTfF4ZEQpyUNGc0dqbpBYYBaHHrsX.',
    ],
  ]),
];
