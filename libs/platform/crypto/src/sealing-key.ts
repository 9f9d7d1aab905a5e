import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  hash,
  hkdfSync,
  type KeyObject,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto';

const [format, keyIdBytes, nonceBytes, tagBytes] = [1, 4, 12, 16];
const headerBytes = 1 + keyIdBytes + nonceBytes;

/** What was sealed was sealed under another master key, or was changed since. */
export class WrongMasterKeyError extends Error {
  override readonly name = 'WrongMasterKeyError';
}

/**
 * Seals small secrets at rest with AES-256-GCM (NIST SP 800-38D), and derives keys for one purpose
 * each (RFC 5869). A sealed value is: format (1 byte), key id (4), nonce (12), ciphertext, tag
 * (16).
 */
export class SealingKey {
  /** Tells keys apart without telling anything of them. */
  readonly id: Buffer;
  // as bytes a key costs 20 µs more each time it is used
  readonly #sealKey: KeyObject;
  readonly #macKeys = new Map<string, KeyObject>();

  /** @param previous what was sealed under it still opens, until all is sealed anew */
  constructor(
    private readonly secret: Buffer,
    private readonly previous?: SealingKey,
  ) {
    if (secret.length !== 32) throw new Error('A sealing key has 32 bytes');
    this.#sealKey = createSecretKey(this.derive('seal'));
    this.id = hash('sha256', this.derive('key-id'), 'buffer').subarray(0, keyIdBytes);
  }

  /** @param purpose names what the key is for; two purposes never share a key. */
  derive(purpose: string): Buffer {
    return Buffer.from(hkdfSync('sha256', this.secret, Buffer.alloc(0), `gatehouse:${purpose}`, 32));
  }

  /** What `derive` gives, followed by what it gave under the previous keys. */
  deriveWithPrevious(purpose: string): Buffer {
    return Buffer.concat([this.derive(purpose), this.previous?.deriveWithPrevious(purpose) ?? Buffer.alloc(0)]);
  }

  /** HMAC-SHA-256 under the key of a purpose. */
  mac(purpose: string, data: string): Buffer {
    const key = this.#macKeys.get(purpose) ?? createSecretKey(this.derive(purpose));
    this.#macKeys.set(purpose, key);
    return createHmac('sha256', key).update(data).digest();
  }

  /** Whether a MAC was made with this key or the previous one; in constant time. */
  isMac(purpose: string, data: string, mac: Buffer): boolean {
    const own = this.mac(purpose, data).subarray(0, mac.length);
    return timingSafeEqual(own, mac) || this.previous?.isMac(purpose, data, mac) === true;
  }

  /** Whether a value is sealed under this very key. */
  isCurrent(sealed: Buffer): boolean {
    return sealed.subarray(1, 1 + keyIdBytes).equals(this.id);
  }

  /**
   * @param context binds the value to its place, such as `signing-key:<kid>`; it opens nowhere
   * else.
   */
  seal(plaintext: Buffer, context: string): Buffer {
    const nonce = randomBytes(nonceBytes);
    const cipher = createCipheriv('aes-256-gcm', this.#sealKey, nonce).setAAD(Buffer.from(context));
    return Buffer.concat([
      Buffer.of(format),
      this.id,
      nonce,
      cipher.update(plaintext),
      cipher.final(),
      cipher.getAuthTag(),
    ]);
  }

  /** @throws WrongMasterKeyError */
  open(sealed: Buffer, context: string): Buffer {
    const isOurs = sealed.length >= headerBytes + tagBytes && sealed.readUInt8(0) === format;
    if (!isOurs || !this.isCurrent(sealed)) {
      if (isOurs && this.previous) return this.previous.open(sealed, context);
      throw new WrongMasterKeyError(`${context} was sealed under another master key`);
    }
    const nonce = sealed.subarray(1 + keyIdBytes, headerBytes);
    const decipher = createDecipheriv('aes-256-gcm', this.#sealKey, nonce, { authTagLength: tagBytes })
      .setAAD(Buffer.from(context))
      .setAuthTag(sealed.subarray(-tagBytes));
    try {
      return Buffer.concat([decipher.update(sealed.subarray(headerBytes, -tagBytes)), decipher.final()]);
    } catch (error) {
      throw new WrongMasterKeyError(`${context} was changed since it was sealed`, { cause: error });
    }
  }
}

/** The sealing key of the installation, from `MASTER_KEY` or `DATA_DIR/master.key`. */
export class MasterKey extends SealingKey {}
