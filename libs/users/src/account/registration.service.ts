import { hash } from 'node:crypto';

import { Injectable } from '@nestjs/common';
import type { FastifyReply } from 'fastify';

import type { RequestSource } from '#libs/platform/access';
import { multipartMediaType, parseJson, pathOf, toValidationError } from '#libs/platform/http';
import { idempotentRequestOf, type IdempotencyLock, Idempotency } from '#libs/platform/idempotency';
import { PicturesService } from '#libs/platform/pictures';

import { profileFields } from '../profile/profile-schemas.js';
import { NewAccountRules } from './new-account-rules.js';
import type { VersionedUser } from './user-view.js';
import { type CreateUser, createUserSchema } from './users.schema.js';
import { UsersService } from './users.service.js';

type Fields = Readonly<Record<string, unknown>>;

/** A request to register somebody. `signal` aborts when the client hangs up. */
export type Registration = {
  readonly reply: FastifyReply;
  readonly source: RequestSource;
  readonly signal: AbortSignal;
};

/** Registers users by JSON, or by a form with the same members as text and a picture. */
@Injectable()
export class RegistrationService {
  constructor(
    private readonly users: UsersService,
    private readonly pictures: PicturesService,
    private readonly idempotency: Idempotency,
    private readonly rules: NewAccountRules,
  ) {}

  /**
   * Nothing of a form is read before it is known that the caller may register somebody.
   * @throws AppError those of `UsersService.create`, `PicturesService.receive`, `Idempotency.run`
   */
  async register(registration: Registration): Promise<VersionedUser> {
    const { request } = registration.reply;
    const { caller, callerNow } = registration.source;
    const isForm = request.headers['content-type']?.toLowerCase().startsWith(multipartMediaType) === true;
    if (!isForm) return this.#create(registration, request.body);
    this.rules.assertMayCreate({}, caller);
    return this.pictures.receive(request.raw, 'avatar', async ({ file, fields }) => {
      this.rules.assertMayCreate({}, await callerNow());
      return this.#create(registration, withObjects(withoutBlanks(fields)), file);
    });
  }

  #create({ reply, source, signal }: Registration, fields: unknown, picture?: Buffer): Promise<VersionedUser> {
    const { request } = reply;
    const attempt = idempotentRequestOf(
      { request, reply },
      [request.method, pathOf(request.url)],
      [request.query, fields],
    );
    const input = parse(fields);
    // the same key with another picture is another request
    const whole = attempt && picture ? { ...attempt, body: `${attempt.body}\n${hash('sha256', picture)}` } : attempt;
    return this.idempotency.run(whole, (lock: IdempotencyLock<VersionedUser> | undefined) =>
      this.users.create({ input, picture, lock }, source, signal),
    );
  }
}

/** @throws AppError `invalid-request` */
function parse(fields: unknown): CreateUser {
  const parsed = createUserSchema.safeParse(fields);
  if (!parsed.success) throw toValidationError(parsed.error.issues);
  return parsed.data;
}

const optionalFields = new Set(
  Object.entries(createUserSchema.shape).flatMap(([name, field]) => (field.safeParse(undefined).success ? [name] : [])),
);
const isBlank = ([name, value]: [string, unknown]): boolean =>
  typeof value === 'string' && value.trim() === '' && optionalFields.has(name);

/** A form has `profile` and `metadata` as JSON in text. @throws AppError those of `parseJson` */
const withObjects = (fields: Fields): Fields => ({
  ...fields,
  ...Object.fromEntries(
    profileFields.flatMap((name) => {
      const text = fields[name];
      return typeof text === 'string' ? [[name, parseJson(Buffer.from(text))]] : [];
    }),
  ),
});

/** Browsers send every field of a form: an optional one without text counts as absent. */
function withoutBlanks(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter((field) => !isBlank(field)));
}
