/** For what may hold the hashes of passwords: a file that is there keeps its mode, and its readers have it open. */
export function tellExisting(file: string): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    throw new Error(`${file} is there already: name another file, or take it away first`, { cause: error });
  };
}
