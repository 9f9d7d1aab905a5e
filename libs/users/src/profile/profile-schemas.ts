import { readFile } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';

import type { FactoryProvider } from '@nestjs/common';

import { type Config, CONFIG, ConfigError } from '#libs/platform/config';
import { AppError, type FieldError } from '#libs/platform/errors';

import { faultOfJson, type JsonObject, mergeObject } from './json-object.js';
import { type CompiledSchema, compileSchema, type FilterType } from './json-schema.js';

/** The two objects that a user has beside its names. */
export const profileFields = ['profile', 'metadata'] as const;
export type ProfileField = (typeof profileFields)[number];
type Profiles = Readonly<Record<ProfileField, JsonObject>>;
type ProfilePatches = { readonly [Field in ProfileField]?: JsonObject | null | undefined };

/** 16 KB of UTF-8 for both together. */
const limitBytes = 16_384;

const variables = { profile: 'PROFILE_SCHEMA_FILE', metadata: 'METADATA_SCHEMA_FILE' } as const;
type Schemas = Readonly<Record<ProfileField, CompiledSchema>>;
type SchemaFiles = Pick<Config, (typeof variables)[ProfileField]>;

/** Without a schema every object is taken, and nothing can be filtered by. */
const anything: CompiledSchema = { faultsOf: () => [], filterable: new Map() };

/** What the operator's schemas say about `profile` and `metadata`, and how large the two may be. */
export class ProfileSchemas {
  /** Name → type of the properties that lists can be filtered by. */
  readonly filterable: Readonly<Record<ProfileField, ReadonlyMap<string, FilterType>>>;

  private constructor(private readonly schemas: Schemas) {
    this.filterable = { profile: schemas.profile.filterable, metadata: schemas.metadata.filterable };
  }

  /** @throws ConfigError when a file cannot be read, or holds no schema that we take */
  static async load(config: SchemaFiles): Promise<ProfileSchemas> {
    const faults: string[] = [];
    const [profile, metadata] = await Promise.all(profileFields.map((field) => compiled(config, field, faults)));
    if (!profile || !metadata) throw new ConfigError(faults);
    return new ProfileSchemas({ profile, metadata });
  }

  /**
   * Checks the objects that are given; an absent one is not looked at.
   * @throws AppError `invalid-request` with the faults of both
   */
  assertFit(fields: { readonly [Field in ProfileField]?: JsonObject | undefined }): void {
    const errors = profileFields.flatMap((field) => this.faultsOf(field, fields[field]));
    if (errors.length > 0) throw new AppError('invalid-request', { errors });
  }

  /**
   * Applies merge patches (RFC 7396; null empties an object), and checks the objects that they
   * change: what is written already may not fit a schema of today.
   * @returns the changed objects only
   * @throws AppError `invalid-request`, `profile-too-large`
   */
  merge(current: Profiles, patches: ProfilePatches): Partial<Profiles> {
    const changed = profileFields.flatMap((field) => {
      const patch = patches[field];
      if (patch === undefined) return [];
      const merged = patch === null ? {} : mergeObject(current[field], patch);
      return isDeepStrictEqual(merged, current[field]) ? [] : [[field, merged] as const];
    });
    if (changed.length === 0) return {};
    const written: Partial<Profiles> = Object.fromEntries(changed);
    this.assertSize(written.profile ?? current.profile, written.metadata ?? current.metadata);
    this.assertFit(written);
    return written;
  }

  /** The faults of one object, none when it is absent. */
  faultsOf(field: ProfileField, object: JsonObject | undefined): readonly FieldError[] {
    if (!object) return [];
    const fault = faultOfJson(object);
    return fault ? [{ ...fault, path: [field, ...fault.path].join('.') }] : this.schemas[field].faultsOf(object, field);
  }

  /** @throws AppError `profile-too-large` when both together have more than 16 KB as JSON */
  assertSize(profile: JsonObject, metadata: JsonObject): void {
    const bytes = Buffer.byteLength(JSON.stringify(profile)) + Buffer.byteLength(JSON.stringify(metadata));
    if (bytes > limitBytes) throw new AppError('profile-too-large');
  }
}

/** Injects `ProfileSchemas`; a schema that is refused ends the start. */
export const profileSchemasProvider: FactoryProvider<ProfileSchemas> = {
  provide: ProfileSchemas,
  inject: [CONFIG],
  useFactory: (config: Config) => ProfileSchemas.load(config),
};

async function compiled(
  config: SchemaFiles,
  field: ProfileField,
  faults: string[],
): Promise<CompiledSchema | undefined> {
  const variable = variables[field];
  const path = config[variable];
  if (path === undefined) return anything;
  try {
    return await compileSchema(parsed(await read(path)));
  } catch (error) {
    faults.push(`${variable} names a file that ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
}

async function read(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new Error('cannot be read', { cause });
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Error('is no JSON', { cause });
  }
}
