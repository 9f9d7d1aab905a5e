import { z } from 'zod';

import { about, flag, httpUrl } from './setting-schemas.js';

/** Where pictures are kept. */
export const avatarStore = {
  AVATAR_STORE: z
    .enum(['database', 's3'], { error: 'must be database or s3' })
    .default('database')
    .meta(about('Where new pictures go; those that are there stay where they are')),
  AVATAR_S3_BUCKET: z
    .string()
    .optional()
    .meta(about('Bucket for AVATAR_STORE=s3', { example: 'gatehouse-avatars' })),
  AVATAR_S3_ENDPOINT: httpUrl
    .optional()
    .meta(about('S3-compatible store', { preset: 'that of AWS', example: 'https://minio.example.org' })),
  AVATAR_S3_REGION: z.string().default('us-east-1').meta(about('Region of the bucket')),
  AVATAR_S3_PATH_STYLE: flag.prefault('false').meta(about('https://HOST/BUCKET/KEY, as MinIO and others want it')),
  AVATAR_S3_PREFIX: z.string().default('avatars/').meta(about('What the keys of the objects begin with')),
  AVATAR_S3_ACCESS_KEY_ID: z
    .string()
    .optional()
    .meta(about('Access key', { secret: true, preset: "those of the AWS SDK's own chain (roles, profiles)" })),
  AVATAR_S3_SECRET_ACCESS_KEY: z
    .string()
    .optional()
    .meta(about('Secret of the access key', { secret: true })),
};
