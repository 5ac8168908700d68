import pytest

from sflowgan_tf.utils.errors import UserError
from sflowgan_tf.utils.yaml_files import read_yaml


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b'a: 1\nb: "open\nc: 2\n', r"line 4, column 1: no YAML: .*, while scanning .* in line 2"),
        (b"a: 1\n\tb: 2\n", r"line 2, column 1: no YAML: "),
        (b"a: [1, 2\nb: 3\n", r"line 2, column 2: no YAML: "),
        (b"a: 1\n  b: 2\n", r"line 2, column 4: no YAML: mapping values are not allowed"),
        (b"a: \xff\xfe\n", "is no text in UTF-8"),
        (b"a: \x00\n", "is no text in UTF-8"),
        (b"12\n", "expected keys with values, or a list"),
    ],
)
def test_what_is_no_yaml_is_named_with_its_line(tmp_path, content, reason):
    file = tmp_path / "folder.yaml"
    file.write_bytes(content)
    with pytest.raises(UserError, match=rf"folder\.yaml: {reason}"):
        read_yaml(file)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match=r"none\.yaml: no such file"):
        read_yaml(tmp_path / "none.yaml")


def test_an_empty_file_holds_nothing(tmp_path):
    (tmp_path / "a.yaml").touch()
    assert read_yaml(tmp_path / "a.yaml") == {}
