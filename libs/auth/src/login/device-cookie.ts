import { randomUUID } from 'node:crypto';

import { Inject, Injectable } from '@nestjs/common';
import { z } from 'zod';

import { type Config, CONFIG } from '#libs/platform/config';
import { MasterKey } from '#libs/platform/crypto';

const name = 'gatehouse_device';
const lifetimeSeconds = 180 * 86_400;
const purpose = 'device-cookie';
const tagBytes = 16;

/** Whose device, and the hash of the password that it has proven to know; none for a name that nobody has. */
export type DeviceOwner = { readonly userId: string; readonly passwordHash: string | undefined };

/** Every device that has not proven to know the password before. */
export const unknownDevice = '00000000-0000-0000-0000-000000000000';

/**
 * Marks devices on which a user has signed in (OWASP, "Slow Down Online Guessing Attacks with Device Cookies"). Strangers
 * can delay an account for devices that nobody knows, never for one that carries its cookie. The cookie is no credential:
 * it opens nothing without the password, and has failures of its own counted. It counts for as long as the password stays:
 * whoever knew the one of before, or had a device that did, is a stranger to the next.
 */
@Injectable()
export class DeviceCookie {
  constructor(
    private readonly master: MasterKey,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** The device that a `Cookie` header marks for a user; the unknown one if none. */
  read(header: string | undefined, owner: DeviceOwner): string {
    const value = new RegExp(`(?:^|;\\s*)${name}=([^;]+)`).exec(header ?? '')?.[1] ?? '';
    const [device = '', expires = '', tag = ''] = value.split('.');
    if (!z.uuid().safeParse(device).success || !(Number(expires) > Date.now() / 1000)) return unknownDevice;
    const given = Buffer.from(tag, 'base64url');
    const isOurs = given.length === tagBytes && this.master.isMac(purpose, bound(device, expires, owner), given);
    return isOurs ? device : unknownDevice;
  }

  /** `Set-Cookie` for a device that has just proven the password; a known device keeps its id, over REST and GraphQL. */
  write(device: string, owner: DeviceOwner): string {
    const id = device === unknownDevice ? randomUUID() : device;
    const expires = Math.floor(Date.now() / 1000) + lifetimeSeconds;
    const tag = this.master
      .mac(purpose, bound(id, `${expires}`, owner))
      .subarray(0, tagBytes)
      .toString('base64url');
    const { protocol, pathname } = new URL(this.config.PUBLIC_URL);
    const secure = protocol === 'https:' ? '; Secure' : '';
    return `${name}=${id}.${expires}.${tag}; Path=${pathname}; Max-Age=${lifetimeSeconds}; HttpOnly; SameSite=Strict${secure}`;
  }
}

/** The look-up of a login reads the hash already; a MAC of it tells nothing. */
const bound = (device: string, expires: string, { userId, passwordHash = '' }: DeviceOwner): string =>
  `${userId}.${device}.${expires}.${passwordHash}`;
