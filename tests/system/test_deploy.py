"""What can be said of the deployment without Docker: that its files agree and keep their promises."""

import re
import stat
import subprocess
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

ROOT = Path(__file__).parents[2]
SERVICES = {"crm": 8001, "invoice": 8002, "sync": 8003, "workflow": 8004}
SECRETS = {
    "ADMIN_EMAIL",
    "ADMIN_PASSWORD",
    "AUTH_SECRET",
    "POSTGRES_PASSWORD",
    "CRM_DB_PASSWORD",
    "INVOICE_DB_PASSWORD",
    "SYNC_DB_PASSWORD",
    "WORKFLOW_DB_PASSWORD",
    "RABBITMQ_PASSWORD",
}
COMPOSE_TEXT = (ROOT / "docker-compose.yml").read_text()
DOCKERFILE = (ROOT / "deploy/Dockerfile").read_text()
VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?P<operator>:[-?])?(?P<rest>[^}]*)\}")


def filled_in(text: str, values: dict[str, str]) -> str:
    """Interpolation as Compose does it, as far as the file uses it."""

    def value(match: re.Match[str]) -> str:
        name, operator, rest = match["name"], match["operator"], match["rest"]
        if found := values.get(name):
            return found
        if operator == ":-":
            return rest
        raise KeyError(f"{name} {rest}")

    return VARIABLE.sub(value, text)


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return yaml.safe_load(filled_in(COMPOSE_TEXT, {name: f"the-{name}".lower() for name in SECRETS}))


def env_example() -> dict[str, tuple[str, bool]]:
    """Name → (value, commented out?)."""
    lines = (ROOT / ".env.example").read_text().splitlines()
    found = [re.fullmatch(r"(# )?([A-Z][A-Z_]+)=(\S*)", line) for line in lines]
    names = [match[2] for match in found if match]
    assert len(names) == len(set(names)), "a setting stands twice"
    return {match[2]: (match[3], bool(match[1])) for match in found if match}


def dockerfile_stages() -> list[str]:
    return re.split(r"^FROM ", DOCKERFILE, flags=re.MULTILINE)[1:]


# --- secrets -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("secret", sorted(SECRETS))
def test_without_a_secret_nothing_starts_and_the_message_says_what_to_do(secret: str) -> None:
    others = dict.fromkeys(SECRETS - {secret}, "x")

    with pytest.raises(KeyError, match=rf"{secret} .*\.env"):
        filled_in(COMPOSE_TEXT, others)


def test_no_variable_but_the_secrets_is_required_and_no_secret_has_a_default() -> None:
    required = {match["name"] for match in VARIABLE.finditer(COMPOSE_TEXT) if match["operator"] == ":?"}
    optional = {match["name"] for match in VARIABLE.finditer(COMPOSE_TEXT) if match["operator"] == ":-"}

    assert required == SECRETS
    assert not optional & SECRETS
    assert "$" not in VARIABLE.sub("", COMPOSE_TEXT)


def test_every_password_in_the_compose_file_is_a_variable() -> None:
    for line in COMPOSE_TEXT.splitlines():
        if re.search(r"PASS(WORD)?:|SECRET:|://[^/\s]*:[^/\s]*@", line):
            assert "${" in line, line


def test_every_variable_of_the_compose_file_stands_in_the_example() -> None:
    used = {match["name"] for match in VARIABLE.finditer(COMPOSE_TEXT)}

    assert used <= env_example().keys()


def test_the_example_leaves_exactly_the_secrets_to_be_filled_in() -> None:
    assert {name: value for name, (value, commented) in env_example().items() if not commented} == dict.fromkeys(
        SECRETS, ""
    )


def test_the_example_states_the_compose_file_s_own_defaults() -> None:
    example = env_example()
    for match in VARIABLE.finditer(COMPOSE_TEXT):
        if match["operator"] == ":-":
            assert example[match["name"]] == (match["rest"], True)


def test_every_setting_of_a_container_stands_in_the_example(compose: dict[str, Any]) -> None:
    for service in SERVICES:
        assert compose["services"][service]["environment"].keys() <= env_example().keys()


# --- the containers ----------------------------------------------------------------------------------------------


def test_the_compose_file_holds_the_four_services_and_their_two_servers(compose: dict[str, Any]) -> None:
    assert compose["services"].keys() == SERVICES.keys() | {"postgres", "rabbitmq"}
    assert {path.name.removesuffix("-service") for path in (ROOT / "services").iterdir()} == SERVICES.keys()


@pytest.mark.parametrize("name", [*SERVICES, "postgres", "rabbitmq"])
def test_every_container_comes_back_by_itself_and_may_do_little(compose: dict[str, Any], name: str) -> None:
    container = compose["services"][name]

    assert container["restart"] == "unless-stopped"
    assert container["init"] is True
    assert container["cap_drop"] == ["ALL"]
    assert container["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in container


@pytest.mark.parametrize("name", [*SERVICES, "postgres"])
def test_file_systems_are_read_only(compose: dict[str, Any], name: str) -> None:
    assert compose["services"][name]["read_only"] is True
    assert any(mount.startswith("/tmp") for mount in compose["services"][name]["tmpfs"])


@pytest.mark.parametrize("name", ["postgres", "rabbitmq"])
def test_the_servers_have_a_health_check_and_keep_their_data(compose: dict[str, Any], name: str) -> None:
    container = compose["services"][name]

    assert container["healthcheck"]["test"][0] == "CMD"
    assert container["user"] == name
    assert any(volume.startswith(f"{name}:/var/lib/") for volume in container["volumes"])
    assert name in compose["volumes"]


@pytest.mark.parametrize(("name", "port"), SERVICES.items())
def test_a_service_is_built_waits_for_its_servers_and_is_checked(compose: dict[str, Any], name: str, port: int) -> None:
    service = compose["services"][name]

    assert service["build"] == {"context": ".", "dockerfile": "deploy/Dockerfile", "args": {"SERVICE": name}}
    assert service["depends_on"] == {server: {"condition": "service_healthy"} for server in ("postgres", "rabbitmq")}
    assert "healthcheck" not in service, "the image's own is in force"
    assert service["environment"]["PORT"] == port
    assert service["environment"][f"{name.upper()}_URL"] == f"http://{name}:{port}"


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_has_its_own_database_and_role(compose: dict[str, Any], name: str) -> None:
    url = urlsplit(compose["services"][name]["environment"]["DATABASE_URL"])
    init = (ROOT / "deploy/postgres/init.sql").read_text()
    revoked = re.search(r"REVOKE CONNECT.* ON DATABASE (.*) FROM PUBLIC;", init)

    assert (url.username, url.hostname, url.path) == (name, "postgres", f"/{name}")
    assert url.password == f"the-{name}_db_password"
    assert compose["services"]["postgres"]["environment"][f"{name.upper()}_DB_PASSWORD"] == url.password
    assert rf"\getenv {name}_password {name.upper()}_DB_PASSWORD" in init
    assert f"CREATE ROLE {name} LOGIN PASSWORD :'{name}_password';" in init
    assert f"CREATE DATABASE {name} OWNER {name};" in init
    assert revoked
    assert name in revoked[1].split(", ")


def test_only_crm_and_invoice_are_told_the_administrator(compose: dict[str, Any]) -> None:
    told = {name for name in SERVICES if "ADMIN_PASSWORD" in compose["services"][name]["environment"]}

    assert told == {"crm", "invoice"}


def test_what_is_published_is_published_on_this_machine_alone(compose: dict[str, Any]) -> None:
    published = {port for container in compose["services"].values() for port in container.get("ports", [])}

    assert published == {f"127.0.0.1:{port}:{port}" for port in [*SERVICES.values(), 15672]}


def test_every_mounted_file_is_there_and_readable_by_the_container_s_user(compose: dict[str, Any]) -> None:
    mounted = [
        volume.split(":")
        for container in compose["services"].values()
        for volume in container.get("volumes", [])
        if volume.startswith(".")
    ]

    assert len(mounted) == 2
    for source, _, mode in mounted:
        assert mode == "ro"
        assert (ROOT / source).stat().st_mode & stat.S_IROTH


# --- the image ---------------------------------------------------------------------------------------------------


def test_the_image_runs_unprivileged_without_a_shell_and_is_checked() -> None:
    final = dockerfile_stages()[-1]

    assert re.search(r"^USER 10001:10001$", final, re.MULTILINE)
    assert re.search(r'^CMD \["/app/bin/service"\]$', final, re.MULTILINE)
    assert re.search(r'CMD \["/app/bin/python", "-c", .*/health/ready', final)
    assert 'ln -s "${SERVICE}-service" /app/bin/service' in DOCKERFILE


@pytest.mark.parametrize("name", SERVICES)
def test_the_image_s_command_is_one_that_the_service_installs(name: str) -> None:
    project = tomllib.loads((ROOT / f"services/{name}-service/pyproject.toml").read_text())["project"]

    assert project["name"] == f"{name}-service"
    assert f"{name}-service" in project["scripts"]


def test_the_build_context_holds_what_the_build_copies_and_no_secret() -> None:
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = {
        source for line in re.findall(r"^COPY (?!--from)(.*) \S+$", DOCKERFILE, re.MULTILINE) for source in line.split()
    }

    assert copied == allowed
    assert "*" in (ROOT / ".dockerignore").read_text().splitlines()


def test_one_range_of_uv_everywhere() -> None:
    """A uv outside uv_build's range would fetch another one for building the workspace's own packages."""
    projects = [*ROOT.glob("shared/*/pyproject.toml"), *ROOT.glob("services/*/pyproject.toml")]
    required = {tomllib.loads(path.read_text())["build-system"]["requires"][0] for path in projects}

    assert len(required) == 1
    uv_range = required.pop().removeprefix("uv_build")
    assert f"'uv{uv_range}'" in DOCKERFILE
    assert f"'uv{uv_range}'" in (ROOT / "deploy/install.sh").read_text()


# --- make --------------------------------------------------------------------------------------------------------


def test_make_alone_explains_every_target() -> None:
    shown = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    declared = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)

    assert declared
    assert set(re.findall(r"^  make (\w+) +\S", shown, re.MULTILINE)) == set(declared[1].split())
