import { expect, test } from 'vitest';

import { PersonalData, type PersonalDataSource } from './personal-data.js';

const source = (name: string): PersonalDataSource => ({
  name,
  references: [],
  export: () => (async function* () {})(),
  erase: () => Promise.resolve(),
});

test('two features cannot register personal data under one name', () => {
  const personalData = new PersonalData();
  personalData.register(source('sessions'));
  expect(() => personalData.register(source('sessions'))).toThrow('registered twice');
  personalData.register(source('messages'));
  expect(personalData.sources.map(({ name }) => name)).toEqual(['sessions', 'messages']);
});
