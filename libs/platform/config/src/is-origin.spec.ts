import { expect, test } from 'vitest';

import { isOrigin } from './is-origin.js';

test.each([
  'https://app.example.org',
  'http://localhost:5173',
  'http://127.0.0.1:3000',
  'http://[::1]:3000',
  'https://*.example.org',
  'https://*.example.org:8443',
  'http://*.localhost:5173',
  'capacitor://localhost',
  'ionic://localhost',
  'tauri://localhost',
  'app://obsidian.md',
  'chrome-extension://abcdefghijklmnopabcdefghijklmnop',
  'moz-extension://0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0',
])('%s is an origin', (text) => {
  expect(isOrigin(text)).toBe(true);
});

test.each([
  'null',
  'app.example.org',
  'https://app.example.org/',
  'https://app.example.org/path',
  'https://App.example.org',
  'https://app.example.org:443',
  'https://user@app.example.org',
  'https://*',
  'https://*.org',
  'https://*example.org',
  'https://app.*.org',
  'https://*.*.example.org',
  'https://app.example.org:*',
  '*.example.org',
  'chrome-extension://*',
  'capacitor://*.localhost',
  'capacitor://',
  'file://',
  'file://localhost',
  'data:text/html',
  'javascript://localhost',
])('%s is none', (text) => {
  expect(isOrigin(text)).toBe(false);
});
