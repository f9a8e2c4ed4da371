"""A wrong, missing or unknown setting is named at start, with what to do."""

from pathlib import Path

import pytest
from servicekit.settings import Settings, load


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def complaints(capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as stopped:
        load(Settings)
    assert stopped.value.code == 2
    return capsys.readouterr().err


def test_what_is_missing_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    said = complaints(capsys)
    assert "DATABASE_URL" in said
    assert "AUTH_SECRET" in said


def test_what_is_wrong_is_named_without_the_secret(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "sqlite:///x")
    monkeypatch.setenv("AUTH_SECRET", "tooshort")
    monkeypatch.setenv("PORT", "eighty")
    said = complaints(capsys)
    assert "AUTH_SECRET: must have at least 32 characters" in said
    assert "PORT" in said
    assert "tooshort" not in said


def test_an_unknown_name_in_the_file_is_named_with_the_likely_one(capsys: pytest.CaptureFixture[str]) -> None:
    Path(".env").write_text(f"DATABSE_URL=sqlite:///x\nDATABASE_URL=sqlite:///x\nAUTH_SECRET={'s' * 32}\n")
    assert "DATABSE_URL: unknown setting in .env; did you mean DATABASE_URL?" in complaints(capsys)


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text(f"DATABASE_URL=sqlite:///x\nAUTH_SECRET={'s' * 32}\nPOSTGRES_PASSWORD=\n")
    monkeypatch.setenv("METRICS_TOKEN", "")
    settings = load(Settings)
    assert settings.metrics_token is None
    assert "s" * 32 not in repr(settings)
