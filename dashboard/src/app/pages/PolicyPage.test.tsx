// The page of the policy: what is tried is asked about, and saved only after its effect is said.
import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import { DOCUMENT, policy, PREVIEW } from "../../test/policies.ts";
import { ALL_SCOPES, routes, sent, serve, sessionOf, show, type Routes } from "../harness.tsx";

function pages(change: Routes = {}): Routes {
  return routes({
    "GET /api/policies/current": () => [200, policy(3)],
    "GET /api/policies": () => [
      200,
      { items: [policy(3), policy(2, { theta: 0.4 }, "more careful"), policy(1)], next: null },
    ],
    "POST /api/policies/preview": () => [200, PREVIEW],
    ...change,
  });
}

const asked = (path: string) => sent.filter((each) => each.path === path);
const entry = () => screen.findByLabelText("Entry");

async function tryEntry(user: ReturnType<typeof userEvent.setup>, value: string): Promise<void> {
  const field = await entry();
  await user.clear(field);
  await user.type(field, value);
}

describe("the page of the policy", () => {
  it("tells the policy in force in words", async () => {
    serve(pages());
    show("/policy");
    expect((await screen.findByTestId("policy-words")).textContent).toContain("30 % or lower");
    expect(screen.getByTestId("policy-version").dataset["version"]).toBe("3");
  });

  it("asks what other values would change, and shows it beside them", async () => {
    serve(pages());
    show("/policy");
    const user = userEvent.setup();
    await tryEntry(user, "45");
    await waitFor(() => {
      expect(asked("/api/policies/preview").at(-1)?.body).toEqual({ policy: { theta: 0.45 } });
    });
    expect((await screen.findByTestId("preview-enter")).dataset["value"]).toBe("15");
    expect(screen.getByTestId("preview-leave").dataset["value"]).toBe("3");
  });

  it("begins with the values that the address holds", async () => {
    serve(pages());
    show("/policy?try=theta%3D45%2Clapse_days%3D200");
    expect((await entry()).getAttribute("value")).toBe("45");
    await waitFor(() => {
      expect(asked("/api/policies/preview").at(-1)?.body).toEqual({
        policy: { theta: 0.45, lapse_days: 200 },
      });
    });
  });

  it("explains a combination that is no policy at its fields, and asks nothing about it", async () => {
    serve(pages());
    show("/policy");
    const user = userEvent.setup();
    const silence = await screen.findByLabelText("Longest silence");
    await screen.findByTestId("preview-enter");
    sent.length = 0;
    await user.clear(silence);
    await user.type(silence, "190");
    const field = within(screen.getByTestId("field-silence_max_days"));
    expect(field.getByText(/below the lapse of 180 days/)).toBeTruthy();
    expect(silence.getAttribute("aria-invalid")).toBe("true");
    expect(screen.getByText(/Correct what is marked/)).toBeTruthy();
    expect(
      screen.getByRole<HTMLButtonElement>("button", { name: /Save as a new version/ }).disabled,
    ).toBe(true);
    expect(asked("/api/policies/preview").map(({ body }) => body)).not.toContainEqual({
      policy: { silence_max_days: 190 },
    });
  });

  it("says the effect first, then saves with the note", async () => {
    serve(pages({ "POST /api/policies": () => [201, policy(4, { theta: 0.45 })] }));
    show("/policy");
    const user = userEvent.setup();
    await tryEntry(user, "45");
    await screen.findByTestId("preview-enter");
    await user.click(screen.getByRole("button", { name: /Save as a new version/ }));
    const dialog = within(await screen.findByRole("alertdialog"));
    expect(await dialog.findByText(/15 clients fall at risk at once and 3 no longer do/)).toBeTruthy();
    expect(dialog.getByTestId("policy-changes").textContent).toContain("30 %");
    expect(asked("/api/policies")).toEqual([]);
    await user.type(dialog.getByLabelText("Note"), "sooner");
    await user.click(dialog.getByRole("button", { name: "Save and put in force" }));
    expect((await screen.findByTestId("policy-saved")).textContent).toContain("Version 4");
    expect(asked("/api/policies")[0]?.body).toEqual({
      document: { ...DOCUMENT, theta: 0.45 },
      note: "sooner",
    });
  });

  it("names the version that it replaces, and saves once when an answer was lost", async () => {
    const tries: (string | null)[][] = [];
    serve(
      pages({
        // The first try got through: its own version is in force when it is sent again.
        "GET /api/policies/current": () => [
          200,
          tries.length === 0 ? policy(3) : policy(4, { theta: 0.45 }),
        ],
        "POST /api/policies": (_, headers) => {
          tries.push([headers.get("if-match"), headers.get("idempotency-key")]);
          return tries.length === 1
            ? [503, { title: "Service Unavailable", status: 503 }]
            : [201, policy(4, { theta: 0.45 })];
        },
      }),
    );
    show("/policy");
    const user = userEvent.setup();
    await tryEntry(user, "45");
    await screen.findByTestId("preview-enter");
    for (const last of [false, true]) {
      await user.click(screen.getByRole("button", { name: /Save as a new version/ }));
      const dialog = within(await screen.findByRole("alertdialog"));
      await dialog.findByText(/15 clients fall at risk at once/);
      await user.click(dialog.getByRole("button", { name: "Save and put in force" }));
      if (last) continue;
      await dialog.findAllByText(/Service Unavailable/);
      await user.click(dialog.getByRole("button", { name: "Cancel" }));
    }
    expect((await screen.findByTestId("policy-saved")).textContent).toContain("Version 4");
    expect(tries).toHaveLength(2);
    expect(tries[0]?.[0]).toBe('"3"');
    expect(tries[1]).toEqual(tries[0]);
  });

  it("explains a conflict, and puts the changes onto the newer version", async () => {
    let version = 3;
    serve(
      pages({
        "GET /api/policies/current": () => [
          200,
          version === 3 ? policy(3) : policy(4, { lapse_days: 200 }, "longer"),
        ],
        // The other one comes first by a hair: only the API can tell.
        "POST /api/policies": () => {
          version = 4;
          return [412, { title: "Precondition Failed", status: 412 }];
        },
      }),
    );
    show("/policy");
    const user = userEvent.setup();
    await tryEntry(user, "45");
    await screen.findByTestId("preview-enter");
    await user.click(screen.getByRole("button", { name: /Save as a new version/ }));
    const act = await screen.findByRole<HTMLButtonElement>("button", {
      name: "Save and put in force",
    });
    await waitFor(() => {
      expect(act.disabled).toBe(false);
    });
    await user.click(act);
    const conflict = within(await screen.findByTestId("policy-conflict"));
    expect(conflict.getByText(/Version 4 came into force/)).toBeTruthy();
    expect(conflict.getByText("200 days")).toBeTruthy();
    expect(screen.queryByTestId("policy-saved")).toBeNull();
    await user.click(conflict.getByRole("button", { name: /Put my changes onto version 4/ }));
    expect((await entry()).getAttribute("value")).toBe("45");
    expect(screen.getByLabelText("Lapse").getAttribute("value")).toBe("200");
    expect(screen.queryByTestId("policy-conflict")).toBeNull();
  });

  it("shows what differs between two versions", async () => {
    serve(pages());
    show("/policy?from=2&to=3");
    const list = await screen.findByRole("list", { name: "Differences from version 2 to 3" });
    expect(list.textContent).toMatch(/Entry40 %.*30 %/);
  });

  it("offers nothing to save to those who may not", async () => {
    serve(pages());
    show("/policy", sessionOf(ALL_SCOPES.filter((scope) => scope !== "policy:write")));
    expect(await screen.findByText(/you need the permission policy:write/)).toBeTruthy();
    expect(screen.queryByRole("button", { name: /Save as a new version/ })).toBeNull();
  });
});
