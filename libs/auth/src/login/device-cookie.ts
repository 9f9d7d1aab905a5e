import { randomUUID } from 'node:crypto';

import { Inject, Injectable } from '@nestjs/common';
import { z } from 'zod';

import { type Config, CONFIG } from '#libs/platform/config';
import { MasterKey } from '#libs/platform/crypto';

const name = 'gatehouse_device';
const lifetimeSeconds = 180 * 86_400;
const purpose = 'device-cookie';
const tagBytes = 16;

/** Every device that has not proven to know the password before. */
export const unknownDevice = '00000000-0000-0000-0000-000000000000';

/**
 * Marks devices on which a user has signed in (OWASP, "Slow Down Online Guessing Attacks with Device Cookies"). Strangers
 * can delay an account for devices that nobody knows, never for one that carries its cookie. The cookie is no credential:
 * it opens nothing without the password, and has failures of its own counted.
 */
@Injectable()
export class DeviceCookie {
  constructor(
    private readonly master: MasterKey,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** The device that a `Cookie` header marks for a user; the unknown one if none. */
  read(header: string | undefined, userId: string): string {
    const value = new RegExp(`(?:^|;\\s*)${name}=([^;]+)`).exec(header ?? '')?.[1] ?? '';
    const [device = '', expires = '', tag = ''] = value.split('.');
    if (!z.uuid().safeParse(device).success || !(Number(expires) > Date.now() / 1000)) return unknownDevice;
    const given = Buffer.from(tag, 'base64url');
    const isOurs = given.length === tagBytes && this.master.isMac(purpose, `${userId}.${device}.${expires}`, given);
    return isOurs ? device : unknownDevice;
  }

  /** `Set-Cookie` for a device that has just signed in; a known device keeps its id, at either door (REST, GraphQL). */
  write(device: string, userId: string): string {
    const id = device === unknownDevice ? randomUUID() : device;
    const expires = Math.floor(Date.now() / 1000) + lifetimeSeconds;
    const tag = this.master.mac(purpose, `${userId}.${id}.${expires}`).subarray(0, tagBytes).toString('base64url');
    const { protocol, pathname } = new URL(this.config.PUBLIC_URL);
    const secure = protocol === 'https:' ? '; Secure' : '';
    return `${name}=${id}.${expires}.${tag}; Path=${pathname}; Max-Age=${lifetimeSeconds}; HttpOnly; SameSite=Strict${secure}`;
  }
}
