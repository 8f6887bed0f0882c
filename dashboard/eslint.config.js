// The dashboard's rules: strict types, hooks, accessibility, and who may import whom.
import js from "@eslint/js";
import boundaries from "eslint-plugin-boundaries";
import jsxA11y from "eslint-plugin-jsx-a11y";
import reactHooks from "eslint-plugin-react-hooks";
import globals from "globals";
import tseslint from "typescript-eslint";

/** Let a room import others. */
function from(room, rooms) {
  return {
    from: { element: { type: room } },
    allow: rooms.map((type) => ({ to: { element: { type } } })),
  };
}

export default tseslint.config(
  { ignores: ["dist", "src/api/schema.gen.ts"] },
  js.configs.recommended,
  {
    files: ["src/**/*.{ts,tsx}"],
    extends: [
      tseslint.configs.strictTypeChecked,
      tseslint.configs.stylisticTypeChecked,
      reactHooks.configs.flat["recommended-latest"],
      jsxA11y.flatConfigs.strict,
    ],
    languageOptions: {
      globals: globals.browser,
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/switch-exhaustiveness-check": "error",
      "max-lines": ["error", { max: 200, skipBlankLines: true }],
      // Safari takes the list role away from a list without markers; the explicit role gives it back.
      "jsx-a11y/no-redundant-roles": ["error", { ul: ["list"], ol: ["list"] }],
    },
  },
  {
    // shared -> features -> app, and features never import each other.
    files: ["src/**/*.{ts,tsx}"],
    plugins: { boundaries },
    settings: {
      "boundaries/elements": [
        { type: "api", pattern: "src/api" },
        { type: "shared", pattern: "src/shared" },
        { type: "auth", pattern: "src/auth" },
        { type: "live", pattern: "src/live" },
        { type: "feature", pattern: "src/features/*", capture: ["name"] },
        { type: "app", pattern: "src/app" },
        { type: "test", pattern: "src/test" },
      ],
    },
    rules: {
      "boundaries/dependencies": [
        "error",
        {
          default: "disallow",
          policies: [
            from("api", ["api"]),
            from("shared", ["shared", "api"]),
            from("auth", ["auth", "shared", "api"]),
            from("live", ["live", "shared", "api"]),
            from("feature", ["live", "auth", "shared", "api"]),
            {
              from: { element: { type: "feature" } },
              allow: {
                to: { element: { type: "feature", captured: { name: "{{from.captured.name}}" } } },
              },
            },
            from("app", ["app", "feature", "live", "auth", "shared", "api"]),
            // What only tests use: examples of the API's answers.
            from("*", ["test"]),
            from("test", ["test", "api"]),
          ],
        },
      ],
    },
  },
  {
    files: ["*.{js,ts}", "scripts/**/*.js"],
    languageOptions: { globals: globals.node },
  },
  {
    files: ["public/**/*.js"],
    languageOptions: { globals: globals.browser, sourceType: "script" },
  },
  {
    files: ["vite.config.ts"],
    extends: [tseslint.configs.recommended],
  },
);
