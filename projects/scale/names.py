"""Invented Chinese names, each made of parts whose pinyin is known.

The sort key of a name is the keys of its parts: pinyin of 200,000 whole names would take longer than
writing the 200,000 rows.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from enterprises.sort_key import pinyin_key


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


CITIES = _words(
    "北京 天津 石家庄 太原 呼和浩特 沈阳 大连 长春 哈尔滨 上海 南京 苏州 无锡 杭州 宁波 温州 合肥 芜湖 福州 厦门 "
    "南昌 赣州 济南 青岛 烟台 郑州 洛阳 武汉 宜昌 长沙 株洲 广州 深圳 东莞 佛山 珠海 南宁 柳州 海口 成都 绵阳 "
    "贵阳 遵义 昆明 曲靖 拉萨 西安 宝鸡 兰州 天水 西宁 银川 乌鲁木齐 喀什 徐州 扬州 常州 嘉兴 泉州 襄阳"
)
INDUSTRIES = _words(
    "水务 城投 交通 能源 燃气 环境 建工 文旅 国资运营 港航 轨道 机场 电力 通信 粮储 物产 医药 钢铁 住房 农业"
)
DISTRICTS = _words(
    "东城 西湖 南山 北辰 高新 滨江 新城 江北 江南 开福 天河 武侯 雁塔 历下 鼓楼 云龙 玄武 思明 海珠 桥东"
)
TRADES = _words("供水 排水 供热 工程 物业 运营 公交 客运 置业 养护 检测 设计 停车 充电 园林 固废")
STREETS = _words(
    "幸福里 东风新村 和平社区 建设小区 红旗路 解放街 文化巷 光明村 胜利镇 团结街道 友谊片区 人民路 向阳社区 曙光村 "
    "新华小区 青年路 朝阳里 长青社区 花园街 望江村 桃园小区 榕树头 石桥镇 龙泉社区 凤凰街 翠屏村 玉兰小区 金沙路 "
    "银杏社区 碧水湾 松林村 竹园里 梅岭镇 荷塘社区 菊园小区 枫林路 杨柳村 槐荫街道 梧桐里 海棠社区"
)
#: Category → works that a project of it may be.
WORKS = {
    "用水": ("老旧供水管网改造", "二次供水设施更新", "农村饮水安全提升", "智能水表换装"),
    "用电": ("配电线路改造", "电动自行车充电设施建设", "公共照明节能更新", "居民用电增容"),
    "用气": ("燃气立管更换", "管道天然气进户", "燃气安全装置加装", "用气隐患排查整治"),
    "交通": ("公交线路优化", "候车亭适老化改造", "人行天桥加装电梯", "停车泊位扩容"),
    "住房": ("老旧小区改造", "保障性租赁住房建设", "既有住宅加装电梯", "外墙渗漏修缮"),
    "养老": ("社区养老食堂建设", "居家适老化改造", "日间照料中心建设", "助浴点建设"),
    "托育": ("普惠托育园建设", "职工子女暑期托管", "母婴室建设", "儿童活动场地改造"),
    "医疗": ("社区卫生站改造", "职工健康体检", "急救设备配置", "康复门诊建设"),
    "教育": ("校园食堂改造", "校舍抗震加固", "技能培训班", "助学岗位开发"),
    "生态环境": ("雨污分流改造", "口袋公园建设", "河道清淤整治", "垃圾分类驿站建设"),
    "就业": ("公益性岗位开发", "零工驿站建设", "技能人才实训基地", "高校毕业生见习"),
    "通信": ("光纤入户改造", "飞线整治", "信号盲区覆盖", "公共无线网络建设"),
}
#: In the order in which they come; a plan of fewer steps takes some of them, evenly.
STEPS = _words(
    "方案审批 资金落实 勘察设计 招标采购 进场施工 基础完成 主体完成 设备安装 系统联调 竣工验收 交付使用 群众回访"
)

_CATEGORIES = tuple(WORKS)


class Name(NamedTuple):
    text: str
    key: str


@cache
def _key(part: str) -> str:
    return pinyin_key(part)


def joined(*parts: str) -> Name:
    return Name("".join(parts), " ".join(_key(part) for part in parts))


def group_name(number: int) -> Name:
    """The name of the group with this number, from 0. No two are the same."""
    # The industry moves with the city, or the first sixty groups would all be water companies.
    turn, at = divmod(number, len(CITIES))
    again, shift = divmod(turn, len(INDUSTRIES))
    parts = [CITIES[at], INDUSTRIES[(at + shift) % len(INDUSTRIES)]]
    return joined(*parts, *([f"第{again + 1}"] if again else []), "集团有限公司")


def unit_name(number: int, stem: str) -> Name:
    """The name of a subsidiary (by its number within the group) of a group called `stem`."""
    turn, at = divmod(number, len(DISTRICTS))
    again, trade = divmod(turn, len(TRADES))
    parts = [stem, DISTRICTS[at], TRADES[(at + trade) % len(TRADES)]]
    return joined(*parts, *([f"第{again + 1}"] if again else []), "有限公司")


def project_name(number: int, offset: int) -> tuple[Name, str, str]:
    """Name, category and place of the project with this number, from 0, within its enterprise.

    Args:
        offset: makes neighbouring enterprises begin at different works.
    """
    turn, street = divmod(number, len(STREETS))
    again, kind = divmod(turn, len(_CATEGORIES) * 4)
    kind = (kind + number + offset) % (len(_CATEGORIES) * 4)
    category = _CATEGORIES[kind // 4]
    parts = [STREETS[street], WORKS[category][kind % 4]]
    return joined(*parts, *([f"第{again + 1}期"] if again else [])), category, STREETS[street]


def step_names(count: int) -> list[str]:
    """Names of the milestones of a plan of `count` steps, in order, no two the same."""
    if count <= len(STEPS):
        return [STEPS[round(n * (len(STEPS) - 1) / max(1, count - 1))] for n in range(count)]
    return [*STEPS, *(f"后续第{n}阶段" for n in range(1, count - len(STEPS) + 1))]
