import { Int, TypeMetadataStorage } from '@nestjs/graphql';

type Argument = { readonly defaultValue: number; readonly description?: string };

/**
 * Declares a whole number as the argument of a field whose method takes `(parent, arguments, context)` as they are.
 * Nest's decorators of parameters would do it too, but run a chain of pipes, which is asynchronous: for each user of a
 * page that took longer than all the rest of the page.
 */
export function IntArgument(name: string, { defaultValue, description }: Argument): MethodDecorator {
  return ({ constructor: target }, methodName) => {
    TypeMetadataStorage.addMethodParamMetadata({
      kind: 'arg',
      name,
      target,
      methodName: String(methodName),
      typeFn: () => Int,
      index: 0,
      options: { defaultValue, nullable: false },
      ...(description !== undefined && { description }),
    });
  };
}
