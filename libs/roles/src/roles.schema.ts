import { z } from 'zod';

import { isVisible, mustBeVisible, permissionListSchema, textSchema } from '#libs/platform/contract';

export const roleNameSchema = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,62}$/, 'must be 1 to 63 lower-case letters, digits and hyphens, a letter first')
  .meta({ example: 'order-clerk' });
const description = textSchema({ max: 200 }).refine(isVisible, mustBeVisible).nullable();

export const createRoleSchema = z
  .strictObject({ name: roleNameSchema, description: description.optional(), permissions: permissionListSchema })
  .meta({ id: 'CreateRole' });
export type CreateRole = z.infer<typeof createRoleSchema>;

/** JSON Merge Patch (RFC 7396); permissions are replaced as a whole. */
export const patchRoleSchema = z
  .strictObject({ description: description.optional(), permissions: permissionListSchema.optional() })
  .meta({ id: 'PatchRole' });
export type PatchRole = z.infer<typeof patchRoleSchema>;

export const removeRoleSchema = z.strictObject({
  force: z
    .enum(['true', 'false'])
    .optional()
    .meta({ description: '`true` takes the role from all users who hold it, too' }),
});
export type RemoveRole = z.infer<typeof removeRoleSchema>;

export const roleSchema = z
  .strictObject({
    name: z.string(),
    description: z.string().nullable(),
    permissions: z.array(z.string()).meta({ description: 'Sorted, each once' }),
    builtIn: z.boolean().meta({ description: 'Built-in roles cannot be removed' }),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .meta({ id: 'Role' });
export type RoleView = z.infer<typeof roleSchema>;

export const roleListSchema = z.strictObject({ items: z.array(roleSchema) }).meta({ id: 'RoleList' });
export type RoleList = z.infer<typeof roleListSchema>;
